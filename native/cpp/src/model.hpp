// A model that is loaded, and the answers it gives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ggml-cpu.h>
#include <llama.h>

#include "clock.hpp"
#include "score.hpp"

namespace polystack {

// What is known of a loaded model and its context.
struct Facts {
  std::string description;   // architecture, size and type of the weights
  std::uint64_t parameters;  // number of them
  std::uint64_t bytes;       // of the weights
  std::int32_t layers;
  std::int32_t width;           // of the hidden state
  std::int32_t vocabulary;      // number of tokens
  std::int32_t sliding_window;  // in tokens; 0 if the model has none
  std::uint32_t context;        // in tokens, as llama.cpp rounded it up
  std::uint32_t batch;          // most prompt tokens that are given at once
  std::uint32_t microbatch;     // most prompt tokens that are computed at once
};

// One answer. Times are nanoseconds of CLOCK_MONOTONIC.
struct Answer {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> token_ns;  // when each token was chosen
  std::vector<float> margins;          // empty unless asked for
  bool stopped = false;                // at an end of sequence, which is not among the ids
  std::int64_t requested_ns = 0;
  std::int64_t prefill_end_ns = 0;  // the logits of the prompt's last token are there
  std::int64_t decode_ns = 0;       // spent on the logits of all further tokens
  std::int64_t sample_ns = 0;       // spent on choosing tokens
  std::int64_t ended_ns = 0;
};

// Keeps a token that was chosen at that time, from logits that were there at the other.
inline void keep(Answer& answer, std::int64_t token, std::int64_t ready_ns,
                 std::int64_t chosen_ns) {
  answer.ids.push_back(token);
  answer.token_ns.push_back(chosen_ns);
  answer.sample_ns += chosen_ns - ready_ns;
}

// Notes that the logits after a token that was chosen at that time are there, and when.
inline std::int64_t decoded(Answer& answer, std::int64_t chosen_ns) {
  const std::int64_t ready_ns = now_ns();
  answer.decode_ns += ready_ns - chosen_ns;
  return ready_ns;
}

// What stamping and keeping a token costs, in nanoseconds: the median of several rounds.
double stamp_cost_ns();

struct Free {
  void operator()(llama_model* model) const noexcept { llama_model_free(model); }
  void operator()(llama_context* context) const noexcept { llama_free(context); }
  void operator()(ggml_threadpool* pool) const noexcept { ggml_threadpool_free(pool); }
};

// The tokenizer of a GGUF file, loaded without the weights.
class Vocabulary {
 public:
  // Throws LlamaError.
  explicit Vocabulary(const std::string& path);

  // As Model::tokenize.
  std::vector<llama_token> tokenize(const std::string& text, bool add_bos) const;

 private:
  std::unique_ptr<llama_model, Free> model_;
};

class Model {
 public:
  // Loads a GGUF file onto the CPU. `context` is in tokens, prompt and answer together.
  // Throws LlamaError.
  Model(const std::string& path, std::int32_t threads, std::uint32_t context, bool use_mmap,
        bool keep_threads);

  // `text` as ids; markers such as <start_of_turn> in it become their own token. BOS comes
  // first if `add_bos` is set and the model is made for it.
  std::vector<llama_token> tokenize(const std::string& text, bool add_bos) const;

  // The bytes of the ids, markers written out. Need not be valid UTF-8: an answer may end
  // within a character.
  std::string detokenize(const std::vector<llama_token>& ids) const;

  // Answers greedily, with nothing kept from an earlier answer. `want_margins` makes every
  // token slower. Throws LlamaError.
  Answer generate(std::vector<llama_token> prompt, std::int32_t new_tokens, bool ignore_eos,
                  bool want_margins);

  // How likely the tokens of `answer` are, each after `prompt` and all before it, in one pass;
  // with the `top` best tokens of each place. Makes a context of its own for it, since one that
  // gives many rows of logits needs the memory for them. Throws LlamaError.
  Scores score(const std::vector<llama_token>& prompt, const std::vector<llama_token>& answer,
               std::size_t top);

  Facts describe() const;

 private:
  void check_ids(const std::vector<llama_token>& ids) const;
  void check_request(const std::vector<llama_token>& prompt, std::int32_t new_tokens) const;
  void decode(llama_token* tokens, std::int32_t count);
  llama_token choose(Answer& answer, bool want_margins);

  // In this order: the context goes first, then what it works with.
  std::unique_ptr<llama_model, Free> model_;
  std::unique_ptr<ggml_threadpool, Free> pool_;
  std::unique_ptr<llama_context, Free> context_;
  const llama_vocab* vocab_ = nullptr;
  std::int32_t threads_;
  std::uint32_t wanted_context_;
};

}  // namespace polystack
