#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <shared_mutex>

// How threads of C++ and the interpreter get along.
namespace neutone::python {

// Gives the GIL away, if this thread has it, until the end of the scope. Whoever waits for a worker has to: that may be
// in a model, and want it.
class WithoutGil {
 public:
  WithoutGil() {
    if (PyGILState_Check() == 1) release_.emplace();
  }

 private:
  std::optional<pybind11::gil_scoped_release> release_;
};

// Passage from a worker to Python. Once the interpreter goes down, a thread that asks for the GIL is ended where it
// stands, and takes the process along; so Python closes the gate before, and waits for those inside.
class Gate {
 public:
  static Gate& get();

  // Whoever holds the lock may enter, unless the gate is closed.
  [[nodiscard]] std::shared_lock<std::shared_mutex> pass() { return std::shared_lock(mutex_); }
  [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }
  // [GIL held; waits]
  void close();

 private:
  std::shared_mutex mutex_;
  bool is_closed_ = false;
};

}  // namespace neutone::python
