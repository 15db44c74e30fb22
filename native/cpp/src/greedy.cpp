#include "greedy.hpp"

#include <cstddef>
#include <limits>

#include "error.hpp"

namespace polystack {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();

}  // namespace

std::int32_t best_token(std::span<const float> logits) {
  std::int32_t best = -1;
  float highest = kLowest;
  for (std::size_t id = 0; id < logits.size(); ++id) {
    // A comparison with NaN is false, so NaN never wins.
    if (logits[id] > highest) {
      highest = logits[id];
      best = static_cast<std::int32_t>(id);
    }
  }
  if (best < 0) {
    throw LlamaError("the model gave no logit that is a number: its weights are not usable");
  }
  return best;
}

Choice best_token_with_margin(std::span<const float> logits) {
  const std::int32_t best = best_token(logits);
  float second = kLowest;
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (id != static_cast<std::size_t>(best) && logits[id] > second) {
      second = logits[id];
    }
  }
  return {best, logits[static_cast<std::size_t>(best)] - second};
}

}  // namespace polystack
