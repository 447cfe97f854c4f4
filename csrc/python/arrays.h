#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "dsp/planar.h"

// numpy arrays as audio: float32, (channels, frames). All of it needs the GIL.
namespace neutone::python {

using Frames = pybind11::array_t<float, pybind11::array::c_style>;

// Throws WrongType unless `value` is a float32 array, std::invalid_argument unless it has two dimensions and a row.
// What is not contiguous is copied.
[[nodiscard]] Frames checked_frames(const char* name, const pybind11::handle& value);

[[nodiscard]] Frames new_frames(std::size_t channels, std::size_t frames);
[[nodiscard]] Frames copied_frames(const dsp::Planar<const float>& frames);
[[nodiscard]] dsp::Planar<const float> readable(const Frames& array);
[[nodiscard]] dsp::Planar<float> writable(Frames& array);

// A copy, as int64 (n,).
[[nodiscard]] pybind11::array_t<std::int64_t> copied(std::span<const std::int64_t> counts);

}  // namespace neutone::python
