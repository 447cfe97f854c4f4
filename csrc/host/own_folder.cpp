#include "own_folder.h"

#include "shared_library.h"

namespace neutone::host {

std::filesystem::path own_folder() { return file_of(reinterpret_cast<const void*>(&own_folder)).parent_path(); }

}  // namespace neutone::host
