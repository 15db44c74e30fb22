#include "backend.hpp"

#include <cstdio>
#include <mutex>
#include <utility>

#include <ggml.h>
#include <llama.h>

namespace polystack {
namespace {

// Keeps the first error, because an exception's text should say what the log says. Those
// that follow it tell only who gave up because of it.
class Log {
 public:
  void write(ggml_log_level level, const char* text) {
    const std::scoped_lock lock(mutex_);
    // A piece that goes on with a line belongs to the level of the line's beginning.
    level_ = level == GGML_LOG_LEVEL_CONT ? level_ : level;
    if (level_ == GGML_LOG_LEVEL_ERROR && (error_.empty() || error_.back() != '\n')) {
      error_ += text;
    }
    if (level_ != GGML_LOG_LEVEL_DEBUG) {
      std::fputs(text, stderr);
    }
  }

  std::string take_error() {
    const std::scoped_lock lock(mutex_);
    std::string error = std::exchange(error_, {});
    while (!error.empty() && error.back() == '\n') {
      error.pop_back();
    }
    return error;
  }

 private:
  std::mutex mutex_;
  ggml_log_level level_ = GGML_LOG_LEVEL_NONE;
  std::string error_;
};

// llama.cpp has one log for the process and calls back without an object of ours.
Log& process_log() {
  static Log log;
  return log;
}

void forward(ggml_log_level level, const char* text, void* log) {
  static_cast<Log*>(log)->write(level, text);
}

}  // namespace

void start_backend() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set(forward, &process_log());
    llama_backend_init();
  });
}

std::string take_logged_error() { return process_log().take_error(); }

std::string system_info() {
  start_backend();
  return llama_print_system_info();
}

std::map<std::string, std::string> build_info() {
  return {
      {"version", POLYSTACK_LLAMA_VERSION},
      {"commit", POLYSTACK_LLAMA_COMMIT},
      {"ggml", ggml_version()},
      {"compiler", POLYSTACK_COMPILER},
  };
}

}  // namespace polystack
