// Greedy decoding: the best token of one row of logits.
#pragma once

#include <cstdint>
#include <span>

namespace polystack {

struct Choice {
  std::int32_t token;
  // Logit of the best token less that of the second best; infinite if there is only one.
  float margin;
};

// The token with the highest logit; of equal ones the one with the lowest id.
// Throws LlamaError if there is none, because no logit is a number.
std::int32_t best_token(std::span<const float> logits);

// The same, and how far ahead it is. Slower; only for tests that ask for it.
Choice best_token_with_margin(std::span<const float> logits);

}  // namespace polystack
