// Checks of greedy.cpp alone: no Python, no llama.cpp. Exits with 0 if all hold.
#include "../src/greedy.hpp"

#include <cstdio>
#include <limits>
#include <vector>

#include "../src/error.hpp"

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

int failures = 0;

void check(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    ++failures;
  }
}

bool refuses(const std::vector<float>& logits) {
  try {
    polystack::best_token(logits);
  } catch (const polystack::LlamaError&) {
    return true;
  }
  return false;
}

}  // namespace

int main() {
  using polystack::best_token;
  using polystack::best_token_with_margin;
  check(best_token(std::vector<float>{-3, -1, -2}) == 1, "the highest logit wins");
  check(best_token(std::vector<float>{1, 5, 5}) == 1, "of equal logits the lowest id wins");
  check(best_token(std::vector<float>{kNan, -7, kNan}) == 1, "what is not a number never wins");
  check(best_token(std::vector<float>{-kInfinity, -9}) == 1, "a forbidden token never wins");
  check(refuses({kNan, kNan}), "no number at all is an error");
  check(refuses({}), "no logit at all is an error");
  const auto choice = best_token_with_margin(std::vector<float>{1, 4, 2.5F});
  check(choice.token == 1 && choice.margin == 1.5F, "the margin is to the second best");
  check(best_token_with_margin(std::vector<float>{2, 2}).margin == 0, "equals have no margin");
  check(best_token_with_margin(std::vector<float>{2}).margin == kInfinity,
        "a single token is ahead of nothing");
  return failures == 0 ? 0 : 1;
}
