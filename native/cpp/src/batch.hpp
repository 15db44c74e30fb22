// Tokens to be computed at once.
#pragma once

#include <cstdint>

#include <llama.h>

namespace polystack {

// Tokens of one sequence, with the places whose logits are wanted.
class Batch {
 public:
  explicit Batch(std::int32_t size)
      : batch_(llama_batch_init(size, /*embd=*/0, /*n_seq_max=*/1)), size_(size) {}
  ~Batch() { llama_batch_free(batch_); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void add(llama_token token, std::int32_t place, bool wants_logits) const {
    batch_.token[place] = token;
    batch_.pos[place] = place;
    batch_.n_seq_id[place] = 1;
    batch_.seq_id[place][0] = 0;
    batch_.logits[place] = static_cast<std::int8_t>(wants_logits);
  }

  llama_batch get() const {
    llama_batch whole = batch_;
    whole.n_tokens = size_;
    return whole;
  }

 private:
  llama_batch batch_;
  std::int32_t size_;
};

}  // namespace polystack
