// What the sanitizers are told of programs that run torch, which is built without them.

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): LeakSanitizer asks for it by this name
extern "C" const char* __lsan_default_suppressions();

// Torch keeps registrations, types and thread pools to the end of the process.
extern "C" const char* __lsan_default_suppressions() { return "leak:libtorch_cpu.so\n"; }
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
