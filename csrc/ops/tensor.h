#pragma once

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/c/shim.h>
#include <torch/csrc/stable/macros.h>
#include <torch/headeronly/util/Exception.h>
#include <torch/headeronly/util/shim_utils.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace neutone::ops {

// A tensor as torch hands it to an operator, and gets it back: one owner, no count of references beside torch's own.
// torch::stable::Tensor has one, which costs an operator two calls of the heap for each argument.
class Tensor {
 public:
  Tensor() = default;
  // Takes the handle over.
  explicit Tensor(AtenTensorHandle handle) noexcept : handle_(handle) {}
  Tensor(Tensor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Tensor& operator=(Tensor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  ~Tensor() {
    if (handle_ != nullptr) static_cast<void>(aoti_torch_delete_tensor_object(handle_));
  }

  [[nodiscard]] AtenTensorHandle get() const noexcept { return handle_; }
  // Gives the handle away.
  [[nodiscard]] AtenTensorHandle release() && noexcept { return std::exchange(handle_, nullptr); }

  [[nodiscard]] bool defined() const { return ask<bool>(aoti_torch_is_defined); }
  [[nodiscard]] bool is_contiguous() const { return ask<bool>(aoti_torch_is_contiguous); }
  // Torch's codes.
  [[nodiscard]] int32_t device_type() const { return ask<int32_t>(aoti_torch_get_device_type); }
  [[nodiscard]] int32_t layout() const { return ask<int32_t>(aoti_torch_get_layout); }
  [[nodiscard]] int32_t dtype() const { return ask<int32_t>(aoti_torch_get_dtype); }
  [[nodiscard]] int64_t dim() const { return ask<int64_t>(aoti_torch_get_dim); }
  [[nodiscard]] const int64_t* sizes() const { return ask<int64_t*>(aoti_torch_get_sizes); }
  [[nodiscard]] const int64_t* strides() const { return ask<int64_t*>(aoti_torch_get_strides); }
  [[nodiscard]] int64_t size(std::size_t dim) const { return sizes()[dim]; }

  // Where its elements are. Whoever names their type has checked it.
  template <typename Element = void>
  [[nodiscard]] const Element* const_data_ptr() const {
    return static_cast<const Element*>(ask<const void*>(torch_get_const_data_ptr));
  }
  template <typename Element = void>
  [[nodiscard]] Element* mutable_data_ptr() const {
    return static_cast<Element*>(ask<void*>(torch_get_mutable_data_ptr));
  }

 private:
  template <typename Answer, typename Question>
  [[nodiscard]] Answer ask(const Question& question) const {
    Answer answer{};
    STABLE_TORCH_ERROR_CODE_CHECK(question(handle_, &answer));
    return answer;
  }

  AtenTensorHandle handle_ = nullptr;
};

}  // namespace neutone::ops
