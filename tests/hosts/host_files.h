#pragma once

#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// What hosts of ours read and write. Whatever stops them throws.
namespace neutone::test {

inline void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  require(file.good(), "cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  require(file.good(), "cannot write " + path);
}

// Raw float32.
inline std::vector<float> read_samples(const std::string& path) {
  const std::string bytes = read_file(path);
  require(bytes.size() % sizeof(float) == 0, path + ": ends within a sample");
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::memcpy(samples.data(), bytes.data(), bytes.size());
  return samples;
}

inline void write_samples(const std::string& path, const std::vector<float>& samples) {
  write_file(path, {reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float)});
}

}  // namespace neutone::test
