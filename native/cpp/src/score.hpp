// How likely given tokens are: one row of logits turned into logarithms of probabilities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace polystack {

// What a model makes of the given tokens; `top` entries for each of them, best first.
struct Scores {
  std::size_t top = 0;
  std::vector<double> logprobs;       // of the given tokens
  std::vector<std::int64_t> top_ids;  // row after row
  std::vector<double> top_logprobs;
};

// Adds what one row of logits says of `token` and of the best tokens; of equal ones the lower
// id comes first. Throws LlamaError if no logit is a number.
void add_row(Scores& scores, std::span<const float> logits, std::int32_t token);

}  // namespace polystack
