// The floor: the least that a client of many streams can do. One thread, one epoll, no parsing
// beyond finding the events. Other clients are held against it by `polystack bench-client`.
//
//   floor PORT STREAMS TOKENS SPREAD_NS FILE
//
// Opens STREAMS connections to 127.0.0.1:PORT, starts the clock, sends one request on each
// (spread evenly over SPREAD_NS), and writes the stamps of all events to FILE as JSON.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

namespace {

constexpr std::int64_t kNsPerS = 1'000'000'000;
constexpr std::size_t kBuffer = 64 << 10;
// What stands in every event with content, and in no other.
constexpr char kMark[] = "\"finish_reason\":null}]}\n";
constexpr std::size_t kMarkLength = sizeof kMark - 1;
constexpr char kEnd[] = "\r\n0\r\n\r\n";
constexpr std::size_t kEndLength = sizeof kEnd - 1;
constexpr std::uint32_t kTimer = UINT32_MAX;

struct Stream {
  int socket = -1;
  std::int64_t sent_ns = 0;
  std::int32_t reads = 0;
  // The end of what came before: a mark may be cut by the network.
  std::string tail;
  std::vector<std::int64_t> ns;
  std::vector<std::int32_t> read;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kNsPerS + now.tv_nsec;
}

std::int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

int open_connection(int port) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (made < 0 || connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
  const int on = 1;
  setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(made, F_SETFL, fcntl(made, F_GETFL) | O_NONBLOCK);
  return made;
}

void send_request(Stream& stream, std::size_t number, int tokens) {
  char body[256];
  const int length = std::snprintf(body, sizeof body,
                                   "{\"prompt\":\"one two three\",\"max_tokens\":%d,\"stream\":true,"
                                   "\"stream_options\":{\"include_usage\":true}}",
                                   tokens);
  char request[640];
  const int size = std::snprintf(request, sizeof request,
                                 "POST /v1/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
                                 "content-type: application/json\r\nx-request-id: %zu\r\n"
                                 "content-length: %d\r\n\r\n%s",
                                 number, length, body);
  stream.sent_ns = now_ns();
  if (write(stream.socket, request, static_cast<std::size_t>(size)) != size) {
    fail("write");
  }
}

// Stamp the events in `stream.tail` + the new bytes. True: the answer is over.
bool take(Stream& stream, const char* bytes, std::size_t count, std::int64_t stamp) {
  const char* from = bytes;
  std::size_t left = count;
  if (!stream.tail.empty()) {
    stream.tail.append(bytes, count);
    from = stream.tail.data();
    left = stream.tail.size();
  }
  const char* const end = from + left;
  const char* place = from;
  while (const void* found = memmem(place, static_cast<std::size_t>(end - place), kMark, kMarkLength)) {
    stream.ns.push_back(stamp);
    stream.read.push_back(stream.reads);
    place = static_cast<const char*>(found) + kMarkLength;
  }
  const bool is_over =
      left >= kEndLength && std::memcmp(end - kEndLength, kEnd, kEndLength) == 0;
  // Usually a read ends with an event, and nothing has to be kept but the end of its chunk.
  const std::size_t kept = std::min<std::size_t>(static_cast<std::size_t>(end - place), kMarkLength);
  std::string tail(end - kept, kept);
  stream.tail.swap(tail);
  return is_over;
}

// Read until the socket is empty. True: the answer is over.
bool read_all(Stream& stream, std::vector<char>& buffer) {
  while (true) {
    const ssize_t count = read(stream.socket, buffer.data(), buffer.size());
    if (count < 0 && errno == EAGAIN) {
      return false;
    }
    if (count <= 0) {
      fail("read");
    }
    const std::int64_t stamp = now_ns();
    stream.reads += 1;
    if (take(stream, buffer.data(), static_cast<std::size_t>(count), stamp)) {
      return true;
    }
    if (static_cast<std::size_t>(count) < buffer.size()) {
      return false;  // a short read has emptied the socket
    }
  }
}

void set_timer(int timer, std::int64_t due_ns) {
  itimerspec time{};
  time.it_value.tv_sec = due_ns / kNsPerS;
  time.it_value.tv_nsec = due_ns % kNsPerS;
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, nullptr);
}

void report(const char* file, const std::vector<Stream>& streams, std::int64_t started_ns,
            std::int64_t cpu_ns) {
  std::FILE* out = std::fopen(file, "w");
  if (out == nullptr) {
    fail(file);
  }
  std::fprintf(out, "{\"cpu_ns\":%lld,\"started_ns\":%lld,\"requests\":[",
               static_cast<long long>(cpu_ns), static_cast<long long>(started_ns));
  for (std::size_t number = 0; number < streams.size(); ++number) {
    const Stream& stream = streams[number];
    std::fprintf(out, "%s{\"id\":\"%zu\",\"sent_ns\":%lld,\"ns\":[", number > 0 ? "," : "", number,
                 static_cast<long long>(stream.sent_ns));
    for (std::size_t i = 0; i < stream.ns.size(); ++i) {
      std::fprintf(out, "%s%lld", i > 0 ? "," : "", static_cast<long long>(stream.ns[i]));
    }
    std::fprintf(out, "],\"reads\":[");
    for (std::size_t i = 0; i < stream.read.size(); ++i) {
      std::fprintf(out, "%s%d", i > 0 ? "," : "", stream.read[i]);
    }
    std::fprintf(out, "]}");
  }
  std::fprintf(out, "]}\n");
  std::fclose(out);
}

void allow_files(std::size_t needed) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = std::min<rlim_t>(needed, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: floor PORT STREAMS TOKENS SPREAD_NS FILE\n");
    return 2;
  }
  const int port = std::atoi(argv[1]);
  const auto count = static_cast<std::size_t>(std::atoll(argv[2]));
  const int tokens = std::atoi(argv[3]);
  const std::int64_t spread_ns = std::atoll(argv[4]);
  allow_files(count + 64);

  const int poll = epoll_create1(EPOLL_CLOEXEC);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  epoll_event interest{};
  interest.events = EPOLLIN | EPOLLET;
  interest.data.u32 = kTimer;
  epoll_ctl(poll, EPOLL_CTL_ADD, timer, &interest);
  std::vector<Stream> streams(count);
  for (std::size_t i = 0; i < count; ++i) {
    streams[i].socket = open_connection(port);
    streams[i].ns.reserve(static_cast<std::size_t>(tokens));
    streams[i].read.reserve(static_cast<std::size_t>(tokens));
    interest.data.u32 = static_cast<std::uint32_t>(i);
    epoll_ctl(poll, EPOLL_CTL_ADD, streams[i].socket, &interest);
  }
  std::vector<char> buffer(kBuffer);
  std::vector<epoll_event> events(1024);

  const std::int64_t cpu_before_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  const std::int64_t started_ns = now_ns();
  std::size_t sent = 0;
  std::size_t done = 0;
  while (done < count) {
    const auto due = [&] {
      return started_ns + spread_ns * static_cast<std::int64_t>(sent) / static_cast<std::int64_t>(count);
    };
    while (sent < count && due() <= now_ns()) {
      send_request(streams[sent], sent, tokens);
      sent += 1;
    }
    if (sent < count) {
      set_timer(timer, due());
    }
    const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 1000);
    for (int i = 0; i < ready; ++i) {
      const std::uint32_t which = events[static_cast<std::size_t>(i)].data.u32;
      if (which != kTimer && read_all(streams[which], buffer)) {
        done += 1;
      }
    }
  }
  const std::int64_t cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_before_ns;
  report(argv[5], streams, started_ns, cpu_ns);
  return 0;
}
