#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <mutex>
#include <string>

#include "engine/model.h"

namespace neutone::python {

// A model in Python: an object with configure(host) -> ModelFormat, process(audio, params) -> audio and reset(). It is
// called with the GIL, on whichever thread the engine calls from.
class PythonModel final : public engine::Model {
 public:
  explicit PythonModel(pybind11::object model);
  PythonModel(const PythonModel&) = delete;
  PythonModel& operator=(const PythonModel&) = delete;
  ~PythonModel() override;

  // Throws what Python raises. [control]
  engine::ModelFormat configure(const engine::HostFormat& host) override;
  // Hands out copies, which are the model's to keep. Throws a std::exception with the text of what Python raises.
  // [worker]
  void process(const dsp::Planar<const float>& audio, const dsp::Planar<const float>& params,
               const dsp::Planar<float>& out) override;
  void reset() override;

  // The text of what `process` or `reset` threw last; empty if they never did. [any thread]
  [[nodiscard]] std::string last_error() const;
  // Parameters, as `configure` said last; none before. [GIL held]
  [[nodiscard]] std::size_t n_params() const noexcept { return n_params_; }

 private:
  template <typename Body>
  void enter(const Body& body);

  pybind11::object model_;
  std::size_t n_params_ = 0;
  mutable std::mutex error_mutex_;
  std::string last_error_;
};

}  // namespace neutone::python
