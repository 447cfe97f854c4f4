#include "fft.h"

#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "fft_levels.h"

namespace neutone::dsp {
namespace {

// Writes the root of unity at so many turns, and goes on behind it.
class TwiddleWriter {
 public:
  explicit TwiddleWriter(std::span<float> out) : out_(out) {}

  // Real and imaginary part are `gap` numbers apart.
  void put(double turns, std::size_t gap = 1) {
    const double angle = 2.0 * std::numbers::pi * turns;
    out_[next_] = static_cast<float>(std::cos(angle));
    out_[next_ + gap] = static_cast<float>(std::sin(angle));
  }
  void skip(std::size_t count) { next_ += count; }

 private:
  std::span<float> out_;
  std::size_t next_ = 0;
};

// The w of each modulus t^m - w of a level, in turns. The next level has their square roots, both.
using Level = std::vector<double>;

Level next_level(const Level& level) {
  Level next;
  next.reserve(2 * level.size());
  for (const double turns : level) {
    next.push_back(0.5 * turns);
    next.push_back(0.5 * turns + 0.5);
  }
  return next;
}

void write_radix4(const Level& level, TwiddleWriter& writer) {
  for (const double turns : level) {
    for (const double quarters : {1.0, 2.0, 3.0}) {
      writer.put(0.25 * quarters * turns);
      writer.skip(2);
    }
  }
}

// A node's own radix-2 step, and the radix-4 steps of its two children.
void write_tiles(const Level& level, TwiddleWriter& writer) {
  for (std::size_t first = 0; first < level.size(); first += kFftLanes) {
    for (std::size_t lane = 0; lane < kFftLanes; ++lane) {
      TwiddleWriter vectors = writer;
      vectors.skip(lane);
      const double turns = level[first + lane];
      vectors.put(0.5 * turns, kFftLanes);
      for (const double child : {0.5 * turns, 0.5 * turns + 0.5}) {
        for (const double quarters : {1.0, 2.0, 3.0}) {
          vectors.skip(kFftTile);
          vectors.put(0.25 * quarters * child, kFftLanes);
        }
      }
    }
    writer.skip(kTileTwiddles);
  }
}

}  // namespace

std::size_t count_fft_twiddles(std::size_t bins) noexcept {
  std::size_t count = has_radix2(bins) ? kRadix2Twiddles : 0;
  for (std::size_t nodes = first_radix4_nodes(bins); nodes < tile_nodes(bins); nodes *= 4) {
    count += kRadix4Twiddles * nodes;
  }
  return count + kTileTwiddles * tile_nodes(bins) / kFftLanes;
}

void write_fft_twiddles(std::size_t bins, std::span<float> twiddles) {
  TwiddleWriter writer(twiddles);
  Level level{0.25};
  if (has_radix2(bins)) {
    writer.put(0.5 * level.front());
    writer.skip(kRadix2Twiddles);
    level = next_level(level);
  }
  for (; level.size() < tile_nodes(bins); level = next_level(next_level(level))) write_radix4(level, writer);
  write_tiles(level, writer);
}

}  // namespace neutone::dsp
