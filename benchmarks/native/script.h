#pragma once

#include <cstddef>
#include <memory>
#include <string>

// TorchScript without torch's headers, which take a minute to compile; script.cpp alone includes them.
namespace neutone::bench {

// The version of torch that is linked.
[[nodiscard]] std::string torch_version();

// The path of a file that benchmarks/scripts.py has written, empty if it has not.
[[nodiscard]] std::string script_path(const std::string& name);

// A module from a file, with arguments to call it with. One thread.
class Script {
 public:
  // Throws std::runtime_error if there is no such file.
  explicit Script(const std::string& path);
  ~Script();
  Script(Script&&) noexcept;
  Script& operator=(Script&&) noexcept;
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // Calls `forward` of a script that loops so many times.
  void loop(std::size_t calls);
  void set_host(std::size_t rate_hz, std::size_t frames);
  // Noise for audio of (channels, frames) and knobs of (knobs, frames), as `forward` is called with.
  void make_block(std::size_t channels, std::size_t frames, std::size_t knobs);
  // Calls `forward` of a wrapper with them.
  void forward();
  // Of all tensors that the module holds; memory that several share counts once.
  [[nodiscard]] std::size_t tensor_bytes() const;

 private:
  struct Module;
  std::unique_ptr<Module> module_;
};

}  // namespace neutone::bench
