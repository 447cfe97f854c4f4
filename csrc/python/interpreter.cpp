#include "python/interpreter.h"

#include <mutex>

namespace neutone::python {

Gate& Gate::get() {
  static Gate& gate = *new Gate;  // never destroyed: threads may outlive all statics
  return gate;
}

void Gate::close() {
  const WithoutGil others_may_finish;
  const std::unique_lock lock(mutex_);
  is_closed_ = true;
}

}  // namespace neutone::python
