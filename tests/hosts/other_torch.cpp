// Preloaded into a host: its process seems to run torch 2.99.1, as if another plugin had brought that along.
#include <cstdint>

extern "C" [[gnu::visibility("default")]] std::uint64_t aoti_torch_abi_version();

std::uint64_t aoti_torch_abi_version() { return 2ULL << 56U | 99ULL << 48U | 1ULL << 40U; }
