#include "python/arrays.h"

#include <stdexcept>
#include <string>

#include "python/errors.h"

namespace py = pybind11;

namespace neutone::python {
namespace {

template <typename Sample>
dsp::Planar<Sample> planar(Sample* data, const Frames& array) {
  const auto frames = static_cast<std::size_t>(array.shape(1));
  return {data, static_cast<std::size_t>(array.shape(0)), frames, static_cast<std::ptrdiff_t>(frames)};
}

std::string described(const py::handle& value) {
  if (!py::isinstance<py::array>(value)) return py::str(py::type::of(value).attr("__name__"));
  return "one of " + std::string(py::str(value.attr("dtype")));
}

}  // namespace

Frames checked_frames(const char* name, const py::handle& value) {
  if (!py::isinstance<py::array_t<float, 0>>(value)) {
    throw WrongType(std::string(name) + " must be a numpy array of float32, got " + described(value) +
                    "; convert it with astype(np.float32)");
  }
  Frames array = Frames::ensure(value);
  if (!array) throw py::error_already_set();
  if (array.ndim() != 2 || array.shape(0) < 1) {
    throw std::invalid_argument(std::string(name) + " must have shape (channels, frames), got " +
                                std::string(py::str(array.attr("shape"))));
  }
  return array;
}

Frames new_frames(std::size_t channels, std::size_t frames) {
  return Frames({static_cast<py::ssize_t>(channels), static_cast<py::ssize_t>(frames)});
}

Frames copied_frames(const dsp::Planar<const float>& frames) {
  Frames copy = new_frames(frames.channels, frames.frames);
  dsp::copy_frames(frames, writable(copy));
  return copy;
}

dsp::Planar<const float> readable(const Frames& array) { return planar(array.data(), array); }

dsp::Planar<float> writable(Frames& array) { return planar(array.mutable_data(), array); }

py::array_t<std::int64_t> copied(std::span<const std::int64_t> counts) {
  return py::array_t<std::int64_t>(static_cast<py::ssize_t>(counts.size()), counts.data());
}

}  // namespace neutone::python
