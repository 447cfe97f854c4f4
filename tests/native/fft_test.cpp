#include "dsp/fft.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <random>
#include <vector>

#include "check.h"
#include "dsp/fir_kernels.h"

using neutone::dsp::fir_kernels;
using neutone::dsp::FirKernel;
using neutone::dsp::kFftLanes;
using neutone::dsp::kFftTile;

namespace {

constexpr std::size_t kMostBins = 4096;
using Samples = std::vector<float>;

Samples noise(std::size_t count) {
  static std::mt19937_64 random(neutone::test::seed());
  std::normal_distribution<float> normal;
  Samples samples(count);
  std::ranges::generate(samples, [&] { return normal(random); });
  return samples;
}

// A kernel's transforms of one length.
class Transform {
 public:
  Transform(const FirKernel& kernel, std::size_t bins)
      : kernel_(&kernel), bins_(bins), twiddles_(neutone::dsp::count_fft_twiddles(bins)), work_(2 * bins) {
    neutone::dsp::write_fft_twiddles(bins, twiddles_);
  }

  Samples there(const Samples& points) {
    Samples out(2 * bins_);
    kernel_->transform(points.data(), points.data() + bins_, bins_, twiddles_.data(), work_.data(), out.data(),
                       kFftTile);
    return out;
  }
  Samples back(const Samples& tiles) {
    Samples out(2 * bins_);
    kernel_->transform_back(tiles.data(), bins_, twiddles_.data() + twiddles_.size(), out.data());
    return out;
  }

 private:
  const FirKernel* kernel_;
  std::size_t bins_;
  Samples twiddles_;
  Samples work_;
};

std::complex<double> bin(const Samples& tiles, std::size_t index) {
  const std::size_t at = index / kFftLanes * kFftTile + index % kFftLanes;
  return {static_cast<double>(tiles[at]), static_cast<double>(tiles[at + kFftLanes])};
}

template <typename Check>
void for_each_transform(const Check& check) {
  for (const FirKernel& kernel : fir_kernels()) {
    for (std::size_t bins = neutone::dsp::kMinFftBins; bins <= kMostBins; bins *= 2) check(kernel, bins);
  }
}

// Of bins whose size is the root of 2 n on average: a relative error of the root of log2 n times 2^-24, of the largest
// of all bins.
constexpr double kBinError = 4e-5;

// The sum of x[m] exp(2 pi i f m) at f = (1 + 4k) / (8n) is there once for each k = 0..n - 1.
void bins_are_the_spectrum_at_odd_frequencies() {
  for (const std::size_t bins : {64U, 128U, 512U}) {
    const Samples points = noise(2 * bins);
    const Samples tiles = Transform(fir_kernels().back(), bins).there(points);
    for (std::size_t k = 0; k < bins; ++k) {
      const double frequency = static_cast<double>(4 * k + 1) / static_cast<double>(4 * bins);
      std::complex<double> expected;
      for (std::size_t m = 0; m < 2 * bins; ++m) {
        const double turns = frequency * static_cast<double>(m);
        expected += static_cast<double>(points[m]) * std::polar(1.0, 2.0 * std::numbers::pi * turns);
      }
      double nearest = 1.0;
      for (std::size_t i = 0; i < bins; ++i) nearest = std::min(nearest, std::abs(bin(tiles, i) - expected));
      CHECK(nearest <= kBinError);
    }
  }
}

void there_and_back_is_the_number_of_bins() {
  for_each_transform([](const FirKernel& kernel, std::size_t bins) {
    constexpr float kRelative = 4e-6F;
    Transform transform(kernel, bins);
    const Samples points = noise(2 * bins);
    const Samples again = transform.back(transform.there(points));
    for (std::size_t i = 0; i < points.size(); ++i) {
      CHECK(std::abs(again[i] / static_cast<float>(bins) - points[i]) <= kRelative);
    }
  });
}

void products_of_bins_convolve() {
  constexpr double kRelative = 1e-5;  // of points whose size is the root of the length
  for (const std::size_t bins : {64U, 128U, 1024U}) {
    Transform transform(fir_kernels().back(), bins);
    const Samples a = noise(2 * bins);
    const Samples b = noise(2 * bins);
    const Samples spectrum_a = transform.there(a);
    const Samples spectrum_b = transform.there(b);
    Samples product(2 * bins);
    for (std::size_t i = 0; i < bins; ++i) {
      const std::complex<double> value = bin(spectrum_a, i) * bin(spectrum_b, i);
      const std::size_t at = i / kFftLanes * kFftTile + i % kFftLanes;
      product[at] = static_cast<float>(value.real());
      product[at + kFftLanes] = static_cast<float>(value.imag());
    }
    const Samples convolved = transform.back(product);
    for (std::size_t n = 0; n < 2 * bins; ++n) {
      double expected = 0.0;
      for (std::size_t m = 0; m < 2 * bins; ++m) {
        const double sign = m <= n ? 1.0 : -1.0;  // what is wrapped
        expected += sign * static_cast<double>(a[m]) * static_cast<double>(b[(n + 2 * bins - m) % (2 * bins)]);
      }
      const double actual = static_cast<double>(convolved[n]) / static_cast<double>(bins);
      CHECK(std::abs(actual - expected) <= kRelative * std::sqrt(static_cast<double>(2 * bins)));
    }
  }
}

void all_kernels_have_the_bins_in_the_same_order() {
  for_each_transform([](const FirKernel& kernel, std::size_t bins) {
    const Samples points = noise(2 * bins);
    const Samples expected = Transform(fir_kernels().front(), bins).there(points);
    const Samples actual = Transform(kernel, bins).there(points);
    for (std::size_t i = 0; i < bins; ++i) CHECK(std::abs(bin(actual, i) - bin(expected, i)) <= 4.0 * kBinError);
  });
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(bins_are_the_spectrum_at_odd_frequencies),
      TEST(there_and_back_is_the_number_of_bins),
      TEST(products_of_bins_convolve),
      TEST(all_kernels_have_the_bins_in_the_same_order),
  });
}
