// The clock that the whole workbench uses.
#pragma once

#include <cstdint>
#include <ctime>

namespace polystack {

// Nanoseconds of CLOCK_MONOTONIC, the same count as Python's time.monotonic_ns().
inline std::int64_t now_ns() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace polystack
