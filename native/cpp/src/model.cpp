#include "model.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "backend.hpp"
#include "batch.hpp"
#include "clock.hpp"
#include "error.hpp"
#include "greedy.hpp"

namespace polystack {
namespace {

// llama.cpp's own default: a longer prompt is computed in pieces of this many tokens, which
// keeps the memory for intermediate results small.
constexpr std::uint32_t kMicrobatch = 512;

[[noreturn]] void fail(const std::string& what) {
  const std::string reason = take_logged_error();
  throw LlamaError(reason.empty() ? what : what + ": " + reason);
}

// The llama.cpp inside Ollama is older than ours, and these parameters have changed since.
template <typename Params>
void set_mmap(Params& params, bool use_mmap) {
  if constexpr (requires { params.load_mode; }) {
    using Mode = decltype(params.load_mode);
    params.load_mode = use_mmap ? Mode::LLAMA_LOAD_MODE_MMAP : Mode::LLAMA_LOAD_MODE_NONE;
  } else {
    params.use_mmap = use_mmap;
  }
}

// Of a prompt only the last token is asked for its logits: with 256,000 pieces of vocabulary a row
// of them is a megabyte. The older one makes room for the rows that are asked for.
template <typename Params>
void expect_rows(Params& params, std::uint32_t rows) {
  if constexpr (requires { params.n_outputs_max; }) {
    params.n_outputs_max = rows;
  }
}

llama_model* load(const std::string& path, bool vocabulary_only, bool use_mmap) {
  static_cast<void>(take_logged_error());
  // An empty list of devices: the CPU, also where llama.cpp was built with more.
  std::array<ggml_backend_dev_t, 1> no_devices{nullptr};
  llama_model_params params = llama_model_default_params();
  params.devices = no_devices.data();
  params.n_gpu_layers = 0;
  params.vocab_only = vocabulary_only;
  set_mmap(params, use_mmap);
  llama_model* model = llama_model_load_from_file(path.c_str(), params);
  if (model == nullptr) {
    fail("cannot load " + path);
  }
  return model;
}

ggml_threadpool* make_pool(std::int32_t threads) {
  ggml_threadpool_params params = ggml_threadpool_params_default(threads);
  ggml_threadpool* pool = ggml_threadpool_new(&params);
  if (pool == nullptr) {
    fail("cannot start " + std::to_string(threads) + " threads");
  }
  return pool;
}

llama_context* make_context(llama_model* model, std::int32_t threads, std::uint32_t context,
                            std::uint32_t rows) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = context;
  params.n_batch = context;
  params.n_ubatch = std::min(context, kMicrobatch);
  params.n_seq_max = 1;
  expect_rows(params, rows);
  params.n_threads = threads;
  params.n_threads_batch = threads;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.type_k = GGML_TYPE_F16;
  params.type_v = GGML_TYPE_F16;
  params.swa_full = false;
  params.no_perf = true;
  llama_context* made = llama_init_from_model(model, params);
  if (made == nullptr) {
    fail("cannot make a context of " + std::to_string(context) + " tokens");
  }
  return made;
}

std::vector<llama_token> tokenize(const llama_vocab* vocab, const std::string& text,
                                  bool add_bos) {
  const auto length = static_cast<std::int32_t>(text.size());
  // No token is shorter than a byte; one more for BOS.
  std::vector<llama_token> ids(text.size() + 1);
  const std::int32_t count =
      llama_tokenize(vocab, text.data(), length, ids.data(),
                     static_cast<std::int32_t>(ids.size()), /*add_special=*/false,
                     /*parse_special=*/true);
  if (count < 0) {
    fail("cannot tokenise a text of " + std::to_string(text.size()) + " bytes");
  }
  ids.resize(static_cast<std::size_t>(count));
  // Some models (Qwen) name a token for BOS and want none before a text.
  if (add_bos && llama_vocab_get_add_bos(vocab)) {
    ids.insert(ids.begin(), llama_vocab_bos(vocab));
  }
  return ids;
}

}  // namespace

double stamp_cost_ns() {
  constexpr std::int64_t kTokens = 20'000;
  std::array<double, 9> rounds{};
  for (double& round : rounds) {
    Answer answer;
    answer.ids.reserve(kTokens);
    answer.token_ns.reserve(kTokens);
    const std::int64_t begin_ns = now_ns();
    std::int64_t ready_ns = begin_ns;
    for (std::int64_t token = 0; token < kTokens; ++token) {
      const std::int64_t chosen_ns = now_ns();
      keep(answer, token, ready_ns, chosen_ns);
      ready_ns = decoded(answer, chosen_ns);
    }
    round = static_cast<double>(now_ns() - begin_ns) / static_cast<double>(kTokens);
  }
  std::ranges::sort(rounds);
  return rounds[rounds.size() / 2];
}

Vocabulary::Vocabulary(const std::string& path) {
  start_backend();
  model_.reset(load(path, /*vocabulary_only=*/true, /*use_mmap=*/true));
}

std::vector<llama_token> Vocabulary::tokenize(const std::string& text, bool add_bos) const {
  return polystack::tokenize(llama_model_get_vocab(model_.get()), text, add_bos);
}

Model::Model(const std::string& path, std::int32_t threads, std::uint32_t context, bool use_mmap,
             bool keep_threads)
    : threads_(threads), wanted_context_(context) {
  if (threads < 1 || context < 1) {
    throw LlamaError("threads and context must be at least 1, and are " +
                     std::to_string(threads) + " and " + std::to_string(context));
  }
  start_backend();
  model_.reset(load(path, /*vocabulary_only=*/false, use_mmap));
  context_.reset(make_context(model_.get(), threads, context, /*rows=*/1));
  if (keep_threads) {
    pool_.reset(make_pool(threads));
    llama_attach_threadpool(context_.get(), pool_.get(), nullptr);
  }
  vocab_ = llama_model_get_vocab(model_.get());
}

std::vector<llama_token> Model::tokenize(const std::string& text, bool add_bos) const {
  return polystack::tokenize(vocab_, text, add_bos);
}

std::string Model::detokenize(const std::vector<llama_token>& ids) const {
  std::string text;
  std::string piece(64, '\0');
  for (const llama_token id : ids) {
    const auto write = [&] {
      return llama_token_to_piece(vocab_, id, piece.data(),
                                  static_cast<std::int32_t>(piece.size()), /*lstrip=*/0,
                                  /*special=*/true);
    };
    std::int32_t length = write();
    if (length < 0) {
      // Too long for the buffer: the answer is the length it needs, negated.
      piece.resize(static_cast<std::size_t>(-length));
      length = write();
    }
    text.append(piece, 0, static_cast<std::size_t>(std::max(length, 0)));
  }
  return text;
}

Answer Model::generate(std::vector<llama_token> prompt, std::int32_t new_tokens, bool ignore_eos,
                       bool want_margins) {
  check_request(prompt, new_tokens);
  static_cast<void>(take_logged_error());
  Answer answer;
  answer.requested_ns = now_ns();
  const auto length = static_cast<std::size_t>(new_tokens);
  answer.ids.reserve(length);
  answer.token_ns.reserve(length);
  // The bookkeeping only: what is left in the buffers is never read.
  llama_memory_clear(llama_get_memory(context_.get()), /*data=*/false);
  decode(prompt.data(), static_cast<std::int32_t>(prompt.size()));
  std::int64_t ready_ns = now_ns();
  answer.prefill_end_ns = ready_ns;
  while (true) {
    llama_token token = choose(answer, want_margins);
    const std::int64_t chosen_ns = now_ns();
    if (!ignore_eos && llama_vocab_is_eog(vocab_, token)) {
      answer.stopped = true;
      break;
    }
    keep(answer, token, ready_ns, chosen_ns);
    if (answer.ids.size() == length) {
      break;
    }
    decode(&token, 1);
    ready_ns = decoded(answer, chosen_ns);
  }
  answer.ended_ns = now_ns();
  return answer;
}

Scores Model::score(const std::vector<llama_token>& prompt,
                    const std::vector<llama_token>& answer, std::size_t top) {
  check_request(prompt, static_cast<std::int32_t>(answer.size()));
  check_ids(answer);
  static_cast<void>(take_logged_error());
  const auto vocabulary = static_cast<std::size_t>(llama_vocab_n_tokens(vocab_));
  const auto rows = static_cast<std::uint32_t>(answer.size());
  const std::unique_ptr<llama_context, Free> context(
      make_context(model_.get(), threads_, wanted_context_, rows));
  if (pool_ != nullptr) {
    llama_attach_threadpool(context.get(), pool_.get(), nullptr);
  }
  // The last token is scored, and nothing that would follow it.
  const auto first_row = static_cast<std::int32_t>(prompt.size()) - 1;
  const std::int32_t count = first_row + static_cast<std::int32_t>(answer.size());
  const Batch batch(count);
  for (std::int32_t place = 0; place < count; ++place) {
    const auto index = static_cast<std::size_t>(place);
    batch.add(index < prompt.size() ? prompt[index] : answer[index - prompt.size()], place,
              place >= first_row);
  }
  if (const int status = llama_decode(context.get(), batch.get()); status != 0) {
    fail("llama_decode of " + std::to_string(count) + " tokens gave " + std::to_string(status));
  }
  Scores scores{.top = std::min(top, vocabulary), .logprobs = {}, .top_ids = {}, .top_logprobs = {}};
  for (std::int32_t row = 0; row < static_cast<std::int32_t>(rows); ++row) {
    const float* logits = llama_get_logits_ith(context.get(), first_row + row);
    if (logits == nullptr) {
      fail("llama.cpp gave no logits");
    }
    add_row(scores, std::span(logits, vocabulary), answer[static_cast<std::size_t>(row)]);
  }
  return scores;
}

Facts Model::describe() const {
  std::array<char, 256> description{};
  llama_model_desc(model_.get(), description.data(), description.size());
  return {
      .description = description.data(),
      .parameters = llama_model_n_params(model_.get()),
      .bytes = llama_model_size(model_.get()),
      .layers = llama_model_n_layer(model_.get()),
      .width = llama_model_n_embd(model_.get()),
      .vocabulary = llama_vocab_n_tokens(vocab_),
      .sliding_window = llama_model_n_swa(model_.get()),
      .context = llama_n_ctx(context_.get()),
      .batch = llama_n_batch(context_.get()),
      .microbatch = llama_n_ubatch(context_.get()),
  };
}

void Model::check_request(const std::vector<llama_token>& prompt,
                          std::int32_t new_tokens) const {
  if (prompt.empty() || new_tokens < 1) {
    throw LlamaError("a request needs a prompt and at least one new token; it has " +
                     std::to_string(prompt.size()) + " prompt tokens and asks for " +
                     std::to_string(new_tokens));
  }
  const std::size_t needed = prompt.size() + static_cast<std::size_t>(new_tokens);
  if (needed > wanted_context_) {
    throw LlamaError(std::to_string(prompt.size()) + " prompt tokens and " +
                     std::to_string(new_tokens) + " new ones are " + std::to_string(needed) +
                     ", and the context has " + std::to_string(wanted_context_));
  }
  check_ids(prompt);
}

void Model::check_ids(const std::vector<llama_token>& ids) const {
  const std::int32_t vocabulary = llama_vocab_n_tokens(vocab_);
  for (const llama_token id : ids) {
    if (id < 0 || id >= vocabulary) {
      throw LlamaError("token id " + std::to_string(id) + " is not in a vocabulary of " +
                       std::to_string(vocabulary));
    }
  }
}

void Model::decode(llama_token* tokens, std::int32_t count) {
  const int status = llama_decode(context_.get(), llama_batch_get_one(tokens, count));
  if (status != 0) {
    fail("llama_decode of " + std::to_string(count) + " tokens gave " + std::to_string(status));
  }
  // Decoding may go on behind our back; a stamp that follows must not be too early.
  llama_synchronize(context_.get());
}

llama_token Model::choose(Answer& answer, bool want_margins) {
  const float* row = llama_get_logits_ith(context_.get(), -1);
  if (row == nullptr) {
    fail("llama.cpp gave no logits");
  }
  const std::span logits(row, static_cast<std::size_t>(llama_vocab_n_tokens(vocab_)));
  if (!want_margins) {
    return best_token(logits);
  }
  const Choice choice = best_token_with_margin(logits);
  answer.margins.push_back(choice.margin);
  return choice.token;
}

}  // namespace polystack
