#pragma once

#include <torch/csrc/stable/c/shim.h>
#include <torch/csrc/stable/stableivalue_conversions.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "ops/tensor.h"

// Makes of a function what torch's dispatcher calls: TORCH_BOX for functions that take and return our Tensor, which has
// one owner and is moved.
namespace neutone::ops {
namespace boxing {

template <typename Argument>
struct From {
  static Argument stack(StableIValue value) { return torch::stable::detail::to<Argument>(value); }
};
template <>
struct From<Tensor> {
  static Tensor stack(StableIValue value) { return Tensor(torch::stable::detail::to<AtenTensorHandle>(value)); }
};
// Torch's own, as of 2.13, forgets to delete a string.
template <>
struct From<std::string> {
  static std::string stack(StableIValue value) {
    const auto remove = [](StringHandle handle) { static_cast<void>(torch_delete_string(handle)); };
    const std::unique_ptr<StringOpaque, decltype(remove)> handle(torch::stable::detail::to<StringHandle>(value),
                                                                 remove);
    std::size_t length = 0;
    const char* text = nullptr;
    STABLE_TORCH_ERROR_CODE_CHECK(torch_string_length(handle.get(), &length));
    STABLE_TORCH_ERROR_CODE_CHECK(torch_string_c_str(handle.get(), &text));
    return {text, length};
  }
};

template <typename Result>
StableIValue to_stack(Result result) {
  return torch::stable::detail::from(std::move(result));
}
template <>
inline StableIValue to_stack(Tensor result) {
  return torch::stable::detail::from(std::move(result).release());
}
template <>
inline StableIValue to_stack(std::vector<Tensor> result) {
  const auto remove = [](StableListHandle handle) { static_cast<void>(torch_delete_list(handle)); };
  StableListHandle made = nullptr;
  STABLE_TORCH_ERROR_CODE_CHECK(torch_new_list_reserve_size(result.size(), &made));
  std::unique_ptr<StableListOpaque, decltype(remove)> list(made, remove);
  for (Tensor& tensor : result) {
    STABLE_TORCH_ERROR_CODE_CHECK(torch_list_push_back(list.get(), to_stack(std::move(tensor))));
  }
  return torch::stable::detail::from(list.release());
}

template <typename Result>
void put_results(StableIValue* stack, Result result) {
  *stack = to_stack(std::move(result));
}
template <typename... Results>
void put_results(StableIValue* stack, std::tuple<Results...> results) {
  std::apply([stack](auto&... each) mutable { ((*stack++ = to_stack(std::move(each))), ...); }, results);
}

template <typename Result, typename... Arguments>
void call(Result (*function)(Arguments...), StableIValue* stack, uint64_t n_arguments) {
  STD_TORCH_CHECK(n_arguments == sizeof...(Arguments), "the schema has ", n_arguments, " arguments, its function ",
                  sizeof...(Arguments));
  using All = std::tuple<std::remove_cvref_t<Arguments>...>;
  // In braces, which are worked through from left to right: should one fail, those before it are given back.
  const auto apply = [function, stack]<std::size_t... I>(std::index_sequence<I...> /*places*/) {
    return std::apply(function, All{From<std::tuple_element_t<I, All>>::stack(stack[I])...});
  };
  if constexpr (std::is_void_v<Result>) {
    apply(std::index_sequence_for<Arguments...>{});
  } else {
    put_results(stack, apply(std::index_sequence_for<Arguments...>{}));
  }
}

}  // namespace boxing

// What to register for a function, as `m.impl("name", boxed<&function>)`.
template <auto kFunction>
void boxed(StableIValue* stack, uint64_t n_arguments, uint64_t /*n_results*/) {
  boxing::call(kFunction, stack, n_arguments);
}

}  // namespace neutone::ops
