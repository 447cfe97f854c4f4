#pragma once

namespace neutone::engine {

// Puts the calling thread before all that are not real-time, and behind those that are, audio threads above all, where
// the system lets us; says whether it did. Where real-time threads are stopped for working too long in one go
// (RLIMIT_RTTIME), it stays what it was: a slow model would end the host. [worker]
bool prefer_this_thread() noexcept;

}  // namespace neutone::engine
