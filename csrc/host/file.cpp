#include "file.h"

#include <cstdint>
#include <fstream>
#include <ios>
#include <system_error>

#include "errors.h"

namespace neutone::host {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxBytes = std::uintmax_t{2} << 30U;

}  // namespace

void check_is_file(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) throw LoadError("there is no file " + file.string() + "; check its name");
  if (fs::is_directory(status)) {
    throw LoadError(file.string() + " is a folder; name the model.nm that save_neutone_model has written into it");
  }
  if (!fs::is_regular_file(status)) throw LoadError(file.string() + " is no regular file; name a .nm file");
  const std::uintmax_t size = fs::file_size(file, error);
  if (!error && size > kMaxBytes) {
    throw LoadError(file.string() + " is no model: it has " + std::to_string(size) + " bytes, a model at most 2 GiB");
  }
}

std::string read_file(const fs::path& file) {
  check_is_file(file);
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  const std::streamoff size = stream ? std::streamoff{stream.tellg()} : -1;
  std::string bytes(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  if (size < 0 || !stream.seekg(0) || !stream.read(bytes.data(), size)) {
    throw LoadError("cannot read " + file.string() + "; check its permissions");
  }
  return bytes;
}

}  // namespace neutone::host
