// llama.cpp's state of the process: its backends and its log.
#pragma once

#include <map>
#include <string>

namespace polystack {

// Prepares llama.cpp and sends its log to standard error. Only the first call does something.
void start_backend();

// The first error that llama.cpp logged since the last call; empty if there was none.
// Its functions return a null pointer or a number and tell the reason to the log alone.
std::string take_logged_error();

// Instruction sets and features that the libraries were compiled with, as they say it.
std::string system_info();

// Versions, commit and compiler, by name.
std::map<std::string, std::string> build_info();

}  // namespace polystack
