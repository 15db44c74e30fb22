// What this module throws; in Python it is polystack_llama.LlamaError.
#pragma once

#include <stdexcept>

namespace polystack {

class LlamaError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace polystack
