#include "score.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "greedy.hpp"

namespace polystack {

void add_row(Scores& scores, std::span<const float> logits, std::int32_t token) {
  const double highest = logits[static_cast<std::size_t>(best_token(logits))];
  double sum = 0;
  for (const float logit : logits) {
    // What is not a number takes no share, as it never wins.
    if (!std::isnan(logit)) {
      sum += std::exp(static_cast<double>(logit) - highest);
    }
  }
  const double normal = highest + std::log(sum);
  scores.logprobs.push_back(static_cast<double>(logits[static_cast<std::size_t>(token)]) - normal);
  std::vector<std::int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto value = [&](std::int32_t id) {
    const float logit = logits[static_cast<std::size_t>(id)];
    return std::isnan(logit) ? -std::numeric_limits<float>::infinity() : logit;
  };
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(scores.top);
  std::partial_sort(ids.begin(), end, ids.end(), [&](std::int32_t left, std::int32_t right) {
    return value(left) != value(right) ? value(left) > value(right) : left < right;
  });
  for (auto id = ids.begin(); id != end; ++id) {
    scores.top_ids.push_back(*id);
    scores.top_logprobs.push_back(static_cast<double>(value(*id)) - normal);
  }
}

}  // namespace polystack
