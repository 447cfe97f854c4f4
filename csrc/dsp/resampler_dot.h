#pragma once

#include <array>
#include <cstddef>
#include <cstring>

#include "resampler_design.h"
#include "simd.h"

// The resampler's sums of products; for resampler_kernel.h only.
namespace neutone::dsp::kernel {

// Rows of the table, one behind the other, and the window that they share, in the first channel.
template <typename Real>
struct Group {
  const Real* rows = nullptr;
  const Real* window = nullptr;
  std::array<std::size_t, kGroupRows> first_taps{};  // where the coefficients of each row begin; for kMasked only
};
template <typename Real, std::size_t Channels>
using Groups = std::array<Group<Real>, kSums / (kGroupRows * Channels)>;

// What is the same for all groups.
struct Layout {
  std::size_t taps;
  std::size_t nonzero_taps;
  std::ptrdiff_t channel_stride;
};

// A row's zeros times a frame that is not finite would not be zero. Where that can happen, frames outside the row's own
// window are left out.
template <typename Real, std::size_t Lanes>
NEUTONE_ALWAYS_INLINE void mask(std::size_t tap, std::size_t first_tap, const Layout& layout,
                                Vector<Real, Lanes>& frames) noexcept {
  std::array<Real, Lanes> values{};
  std::memcpy(values.data(), &frames, sizeof(frames));
  for (std::size_t lane = 0; lane < Lanes; ++lane) {
    const bool is_inside = tap + lane >= first_tap && tap + lane < first_tap + layout.nonzero_taps;
    if (!is_inside) values[lane] = Real(0);
  }
  load(values.data(), frames);
}

template <typename Real, std::size_t Lanes, std::size_t Channels, bool kMasked>
NEUTONE_ALWAYS_INLINE void add_products(const Groups<Real, Channels>& groups, const Layout& layout, std::size_t tap,
                                        std::array<Vector<Real, Lanes>, kSums>& sums) noexcept {
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::array<Vector<Real, Lanes>, Channels> frames{};
    for (std::size_t channel = 0; channel < Channels; ++channel) {
      load(groups[g].window + static_cast<std::ptrdiff_t>(channel) * layout.channel_stride + tap, frames[channel]);
    }
    for (std::size_t row = 0; row < kGroupRows; ++row) {
      Vector<Real, Lanes> coefficients;
      load(groups[g].rows + row * layout.taps + tap, coefficients);
      keep_loaded();
      for (std::size_t channel = 0; channel < Channels; ++channel) {
        Vector<Real, Lanes>& sum = sums[(g * Channels + channel) * kGroupRows + row];
        if constexpr (kMasked) {
          Vector<Real, Lanes> own = frames[channel];
          mask<Real, Lanes>(tap, groups[g].first_taps[row], layout, own);
          sum += coefficients * own;
        } else {
          sum += coefficients * frames[channel];
        }
      }
    }
  }
}

// Adds the products of the taps in [first, last), which it moves together, until at most `rest` are left. From both
// ends to the middle: the large coefficients come last, and fewer sums round at full size.
template <typename Real, std::size_t Lanes, std::size_t Channels, bool kMasked>
NEUTONE_ALWAYS_INLINE void add_from_ends(const Groups<Real, Channels>& groups, const Layout& layout, std::size_t rest,
                                         std::size_t& first, std::size_t& last,
                                         std::array<Vector<Real, Lanes>, kSums>& sums) noexcept {
  while (last - first > rest && last - first >= 2 * Lanes) {
    last -= Lanes;
    add_products<Real, Lanes, Channels, kMasked>(groups, layout, first, sums);
    add_products<Real, Lanes, Channels, kMasked>(groups, layout, last, sums);
    first += Lanes;
  }
}

template <typename Real, std::size_t Lanes, std::size_t Channels, bool kMasked>
NEUTONE_ALWAYS_INLINE void dot(const Groups<Real, Channels>& groups, const Layout& layout,
                               std::array<Real, kSums>& out) noexcept {
  std::array<Vector<Real, Lanes>, kSums> sums{};
  std::size_t first = 0;
  std::size_t last = layout.taps;
  if constexpr (Lanes * sizeof(Real) > 32) {
    // The middle goes into vectors of half the length: in more lanes there were more sums that round at full size.
    add_from_ends<Real, Lanes, Channels, kMasked>(groups, layout, 2 * Lanes, first, last, sums);
    std::array<Vector<Real, Lanes / 2>, kSums> halves{};
    for (std::size_t i = 0; i < kSums; ++i) fold<Real, Lanes>(sums[i], halves[i]);
    add_from_ends<Real, Lanes / 2, Channels, kMasked>(groups, layout, 0, first, last, halves);
    if (first < last) add_products<Real, Lanes / 2, Channels, kMasked>(groups, layout, first, halves);
    sum_lanes<Real, Lanes / 2>(halves, out);
  } else {
    add_from_ends<Real, Lanes, Channels, kMasked>(groups, layout, 0, first, last, sums);
    if (first < last) add_products<Real, Lanes, Channels, kMasked>(groups, layout, first, sums);
    sum_lanes<Real, Lanes>(sums, out);
  }
}

}  // namespace neutone::dsp::kernel
