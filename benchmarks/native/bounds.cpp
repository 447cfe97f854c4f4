// What this machine can do at best: bytes copied, products added.

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "blocks.h"
#include "dsp/instruction_set.h"
#include "dsp/simd.h"
#include "suite.h"

namespace neutone::bench {
namespace {

class Memcpy {
 public:
  explicit Memcpy(std::size_t bytes) : block_(1.0F, 1, bytes / sizeof(float)), bytes_(bytes) {}
  void pass() {
    std::memcpy(block_.out().data, block_.in().data, bytes_);
    ::benchmark::ClobberMemory();
  }

 private:
  Block block_;
  volatile std::size_t bytes_;  // no constant: the compiler would replace the library's memcpy
};

constexpr std::size_t kSteps = 256;
constexpr std::size_t kChains = 10;  // more than the latency of a product times the units that compute one
constexpr std::size_t kMaxBytes = 64;

// Products and sums in registers. `data` is the factor, the summand, and each chain's start: were they equal, the
// compiler would compute one for all.
template <typename Real, std::size_t kBytes>
NEUTONE_ALWAYS_INLINE void multiply_add(Real* data) noexcept {
  constexpr std::size_t kLanes = kBytes / sizeof(Real);
  using Vector = dsp::Vector<Real, kLanes>;
  Vector factor{};
  Vector summand{};
  dsp::load(data, factor);
  dsp::load(data + kLanes, summand);
  std::array<Vector, kChains> sums{};
  for (std::size_t i = 0; i < kChains; ++i) dsp::load(data + (i + 2) * kLanes, sums[i]);
  for (std::size_t step = 0; step < kSteps; ++step) {
    NEUTONE_UNROLL
    for (Vector& sum : sums) sum = sum * factor + summand;
  }
  Vector total{};
  NEUTONE_UNROLL
  for (const Vector& sum : sums) total += sum;
  std::memcpy(data + 2 * kLanes, &total, sizeof(total));
}

template <typename Real>
struct Kernel {
  std::string name;
  std::size_t bytes = 0;
  void (*run)(Real*) = nullptr;
};

template <typename Real>
void baseline(Real* data) {
  multiply_add<Real, 16>(data);
}
#if defined(__GNUC__) && defined(__x86_64__)
template <typename Real>
[[gnu::target("avx2,fma")]] void avx2(Real* data) {
  multiply_add<Real, 32>(data);
}
template <typename Real>
[[gnu::target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]] void avx512(Real* data) {
  multiply_add<Real, 64>(data);
}
#endif

template <typename Real>
std::vector<Kernel<Real>> kernels() {
#if defined(__GNUC__) && defined(__x86_64__)
  std::vector<Kernel<Real>> all{
      {"baseline", 16, baseline<Real>}, {"AVX2", 32, avx2<Real>}, {"AVX-512", 64, avx512<Real>}};
  all.resize(dsp::count_instruction_sets());
  return all;
#else
  return {{"baseline", 16, baseline<Real>}};
#endif
}

template <typename Real>
class MultiplyAdd {
 public:
  explicit MultiplyAdd(void (*run)(Real*)) : run_(run) { data_.fill(Real(0.5)); }
  void pass() {
    run_(data_.data());
    ::benchmark::ClobberMemory();
  }

 private:
  void (*run_)(Real*);
  std::array<Real, (kChains + 2) * kMaxBytes / sizeof(Real)> data_{};
};

template <typename Real>
void add_multiply_adds(const std::string& group) {
  for (const Kernel<Real>& kernel : kernels<Real>()) {
    const std::size_t lanes = kernel.bytes / sizeof(Real);
    const auto items = static_cast<double>(kSteps * kChains * lanes);
    add_stateful_case(group, kernel.name, items,
                      [run = kernel.run] { return std::make_unique<MultiplyAdd<Real>>(run); });
  }
}

}  // namespace

void add_cases() {
  add_multiply_adds<float>("bounds/float32 multiply-add");
  add_multiply_adds<double>("bounds/float64 multiply-add");
  for (const std::size_t kib : {4U, 64U, 1024U, 32'768U}) {
    const std::size_t bytes = 1024U * kib;
    add_stateful_case("bounds/memcpy, a byte", std::to_string(kib) + " KiB", static_cast<double>(bytes),
                      [=] { return std::make_unique<Memcpy>(bytes); });
  }
}

}  // namespace neutone::bench
