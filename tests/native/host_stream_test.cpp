#include "dsp/host_stream.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <stdexcept>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "signals.h"

using neutone::dsp::HostBlock;
using neutone::dsp::HostStreamHeader;
using neutone::dsp::HostStreamLayout;
using neutone::dsp::HostStreamMode;
using neutone::dsp::HostStreamSettings;
using neutone::dsp::HostStreamView;
using neutone::dsp::kCacheLineBytes;
using neutone::dsp::Planar;
using neutone::test::at;
using neutone::test::Buffer;
using neutone::test::impulse;
using neutone::test::n_different;
using neutone::test::noise;

namespace {

struct Rates {
  std::int64_t host_hz;
  std::int64_t model_hz;
};
constexpr std::array<Rates, 4> kRates{{{48'000, 48'000}, {44'100, 48'000}, {48'000, 22'050}, {44'100, 47'999}}};
constexpr std::int64_t kMostFrames = 300;
constexpr std::int64_t kModelBlock = 128;
constexpr std::size_t kParams = 3;
constexpr HostStreamSettings kSettings{1, kMostFrames, kModelBlock, 1, 2, kParams, 0b010, 0, {}};

// Of exactly the size that it needs, so that sanitizers see who leaves it.
struct Memory {
  struct Free {
    void operator()(float* memory) const { ::operator delete[](memory, std::align_val_t{kCacheLineBytes}); }
  };
  std::size_t size;
  std::unique_ptr<float[], Free> floats;

  explicit Memory(const HostStreamHeader& header)
      : size(HostStreamLayout(header).size),
        floats(static_cast<float*>(::operator new[](size * sizeof(float), std::align_val_t{kCacheLineBytes}))) {
    const std::array<float, kParams> defaults{0.25F, 0.5F, 0.75F};
    HostStreamView::make(header, {defaults.data(), kParams, 1, 1, 1}, floats.get());
  }
  [[nodiscard]] HostStreamView view() const { return HostStreamView(floats.get()); }
  [[nodiscard]] bool is_sane() const { return reinterpret_cast<HostStreamHeader*>(floats.get())->is_sane(size); }
};

// What is enough for blocks of any size.
std::int64_t least_delay(const HostStreamHeader& header) {
  const neutone::dsp::RateRatio& ratio = header.settings.ratio;
  const std::int64_t steps =
      neutone::dsp::resampling_steps(ratio, header.to_model.half_taps, header.to_host.half_taps) +
      neutone::dsp::buffering_steps(1, header.settings.model_block, ratio);
  return neutone::dsp::ceil_div(steps, ratio.up);
}

Memory started(const Rates& rates, HostStreamSettings settings = kSettings) {
  Memory memory(HostStreamHeader::planned(settings, rates.host_hz, rates.model_hz));
  CHECK(memory.is_sane());
  HostStreamView stream = memory.view();
  const HostStreamView::Beginning beginning = stream.beginning(least_delay(stream.header()), 0);
  CHECK(stream.can_start(beginning));
  stream.start(HostStreamMode::kDelayed, beginning);
  return memory;
}

// One callback, as the operators do it, of a model that adds what it hears to what its parameters say. Returns whether
// the stream had everything that is asked for before each call.
bool play(HostStreamView& stream, const HostBlock& block, const Planar<float>& out) {
  const HostStreamSettings& settings = stream.header().settings;
  if (!stream.has_room(block.audio.frames)) return false;
  stream.push(block);
  for (std::size_t left = stream.full_blocks(); left > 0; --left) {
    if (!stream.has_block() || !stream.has_room_behind()) return false;
    const auto frames = static_cast<std::size_t>(settings.model_block);
    const Buffer heard(static_cast<std::size_t>(settings.in_channels), frames);
    const Buffer params(static_cast<std::size_t>(settings.n_params), settings.takes_means != 0 ? 1 : frames);
    stream.take(heard.planar(), params.planar());
    const Buffer made(static_cast<std::size_t>(settings.out_channels), frames);
    for (std::size_t channel = 0; channel < made.planar().channels; ++channel) {
      for (std::size_t frame = 0; frame < frames; ++frame) {
        const std::size_t value = settings.takes_means != 0 ? 0 : frame;
        at(made.planar(), channel, frame) = at(heard.planar(), 0, frame) + at(params.planar(), 1, value);
      }
    }
    stream.put(made.planar());
  }
  if (stream.ready_after(0) < out.frames) return false;
  stream.pop(out);
  return true;
}

// What a stream makes of noise, in blocks of these sizes, again and again.
Buffer played(const Rates& rates, const HostStreamSettings& settings, const std::vector<std::size_t>& blocks) {
  constexpr std::size_t kFrames = 6000;
  const Memory memory = started(rates, settings);
  HostStreamView stream = memory.view();
  const Buffer audio = noise(2, kFrames, 1);
  const Buffer params = noise(kParams, kFrames, 2);
  Buffer out(2, kFrames);
  std::size_t done = 0;
  for (std::size_t i = 0; done < kFrames; ++i) {
    const std::size_t frames = std::min(blocks[i % blocks.size()], kFrames - done);
    CHECK(play(stream, {audio.planar().slice_frames(done, frames), params.planar().slice_frames(done, frames)},
               out.planar().slice_frames(done, frames)));
    done += frames;
  }
  CHECK(memory.is_sane());
  return out;
}

void how_the_stream_is_cut_changes_no_bit() {
  std::mt19937_64 random(neutone::test::seed());
  std::uniform_int_distribution<std::size_t> size(1, kMostFrames);
  for (const Rates& rates : kRates) {
    for (const std::int64_t takes_means : {0, 1}) {
      HostStreamSettings settings = kSettings;
      settings.takes_means = takes_means;
      std::vector<std::size_t> sizes(50);
      std::ranges::generate(sizes, [&] { return size(random); });
      const Buffer cut = played(rates, settings, sizes);
      const Buffer whole = played(rates, settings, {static_cast<std::size_t>(kMostFrames)});
      CHECK(n_different(cut.planar(), whole.planar()) == 0);
    }
  }
}

void the_output_is_late_by_what_was_asked_for() {
  for (const Rates& rates : kRates) {
    const Memory memory = started(rates);
    HostStreamView stream = memory.view();
    constexpr std::size_t kFrames = 6000;
    const Buffer click = impulse(1, kFrames, 200);
    const std::array<float, kParams> zeros{};
    const Buffer out(1, kFrames);
    for (std::size_t done = 0; done < kFrames; done += 100) {
      CHECK(play(stream, {click.planar().slice_frames(done, 100), {zeros.data(), kParams, 100, 1, 0}},
                 out.planar().slice_frames(done, 100)));
    }
    const float* const row = out.planar().row(0);
    CHECK(std::max_element(row, row + kFrames) - row == 200 + least_delay(stream.header()));
  }
}

void settings_that_no_stream_has_throw() {
  const auto planned = [](auto change, std::int64_t model_hz) {
    HostStreamSettings settings = kSettings;
    change(settings);
    static_cast<void>(HostStreamHeader::planned(settings, 48'000, model_hz));
  };
  using neutone::test::check_throws;
  using std::invalid_argument;
  const auto none = [](HostStreamSettings&) {};
  check_throws<invalid_argument>([&] { planned(none, 100); });
  check_throws<invalid_argument>([&] { planned(none, 0); });
  check_throws<invalid_argument>([&] { planned([](auto& settings) { settings.least_frames = 0; }, 48'000); });
  check_throws<invalid_argument>([&] { planned([](auto& settings) { settings.least_frames = 301; }, 48'000); });
  check_throws<invalid_argument>([&] { planned([](auto& settings) { settings.in_channels = 3; }, 48'000); });
  check_throws<invalid_argument>([&] { planned([](auto& settings) { settings.n_params = 65; }, 48'000); });
  check_throws<invalid_argument>([&] { planned([](auto& settings) { settings.model_block = 67'108'864; }, 48'000); });
}

// Words near what they were, powers of two, and any.
std::uint64_t mad(std::uint64_t before, std::mt19937_64& random) {
  const std::uint64_t number = random();
  switch (random() % 4) {
    case 0: return before + number % 5 - 2;
    case 1: return before + number % 2000 - 1000;
    case 2: return std::uint64_t{1} << (number % 64);
    default: return number;
  }
}

void mad_headers_are_refused_or_reach_nothing_outside() {
  constexpr std::size_t kWords = sizeof(HostStreamHeader) / sizeof(std::int64_t);
  std::mt19937_64 random(neutone::test::seed());
  const Buffer audio = noise(2, kMostFrames, 1);
  const Buffer params = noise(kParams, kMostFrames, 2);
  std::size_t n_played = 0;
  std::size_t n_refused = 0;
  for (const Rates& rates : kRates) {
    const Memory memory = started(rates);
    const Buffer out(2, kMostFrames);
    const HostStreamHeader good = memory.view().header();
    for (int attempt = 0; attempt < 1000; ++attempt) {
      std::memcpy(memory.floats.get(), &good, sizeof(good));
      for (std::uint64_t changes = 1 + random() % 2; changes > 0; --changes) {
        char* const word = reinterpret_cast<char*>(memory.floats.get()) + random() % kWords * sizeof(std::int64_t);
        std::uint64_t value = 0;
        std::memcpy(&value, word, sizeof(value));
        value = mad(value, random);
        std::memcpy(word, &value, sizeof(value));
      }
      for (int callback = 0; callback < 2; ++callback) {
        if (!memory.is_sane()) {
          ++n_refused;
          break;
        }
        HostStreamView changed = memory.view();
        if (changed.header().settings.model_block > 4096) break;  // would take long
        const auto n_params = static_cast<std::size_t>(changed.header().settings.n_params);
        if (n_params > kParams) break;  // operators refuse a block of fewer
        n_played +=
            play(changed, {audio.planar(), params.planar().slice_channels(0, n_params)}, out.planar()) ? 1U : 0U;
      }
    }
  }
  CHECK(n_played > 100);
  CHECK(n_refused > 400);
}

}  // namespace

int main() {
  return neutone::test::run_tests(
      {TEST(how_the_stream_is_cut_changes_no_bit), TEST(the_output_is_late_by_what_was_asked_for),
       TEST(settings_that_no_stream_has_throw), TEST(mad_headers_are_refused_or_reach_nothing_outside)});
}
