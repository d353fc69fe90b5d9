/// Many readers on keep-alive connections, from one thread. READING is "copy": bodies are read as any client
/// reads them, 64 KiB at a time; or "drop": the kernel drops them (MSG_TRUNC), so that the client costs next
/// to nothing, and sleeps and is woken for every packet.
///
///     bench_serve_load ADDRESS PORT PATH CONNECTIONS SECONDS READING [ACCEPT]   ->
///     {"requests":…,"bytes":…,"seconds":…}
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

struct Reader {
  int fd = -1;
  std::string head;
  std::uint64_t body_left = 0;
  bool in_body = false;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int connect_to(const char* address, int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, address, &where.sin_addr) != 1) die("address");
  if (connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) die("connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

std::uint64_t content_length(const std::string& head) {
  if (head.compare(9, 3, "200") != 0) {
    std::fprintf(stderr, "unexpected answer: %s\n", head.substr(0, 200).c_str());
    std::exit(1);
  }
  const char* found = strcasestr(head.c_str(), "\r\ncontent-length:");
  if (found == nullptr) die("no content-length");
  return std::strtoull(found + 17, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) return 2;
  const bool copy = std::string(argv[6]) == "copy";
  const std::string accept = argc > 7 ? argv[7] : "*/*";
  const std::string request = std::string("GET ") + argv[3] + " HTTP/1.1\r\nHost: " + argv[1] + ":" +
                              argv[2] + "\r\nAccept: " + accept + "\r\n\r\n";
  const int connections = std::atoi(argv[4]);
  const double limit = std::atof(argv[5]);
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Reader> readers(static_cast<std::size_t>(connections));
  for (std::size_t i = 0; i < readers.size(); ++i) {
    readers[i].fd = connect_to(argv[1], std::atoi(argv[2]));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(poll, EPOLL_CTL_ADD, readers[i].fd, &event);
  }
  const auto ask = [&](const Reader& reader) {
    if (send(reader.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      die("send");
  };
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
  std::vector<char> buffer(64 * 1024);
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  for (const auto& reader : readers) ask(reader);
  std::vector<epoll_event> events(readers.size());
  while (elapsed() < limit) {
    const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < ready; ++i) {
      Reader& reader = readers[events[static_cast<std::size_t>(i)].data.u64];
      if (reader.in_body) {
        const ssize_t got =
            copy ? recv(reader.fd, buffer.data(), std::min<std::uint64_t>(reader.body_left, buffer.size()),
                        MSG_DONTWAIT)
                 : recv(reader.fd, nullptr, std::min<std::uint64_t>(reader.body_left, 4U << 20U),
                        MSG_TRUNC | MSG_DONTWAIT);
        if (got <= 0) die("recv");
        reader.body_left -= static_cast<std::uint64_t>(got);
        bytes += static_cast<std::uint64_t>(got);
      } else {
        const ssize_t got =
            recv(reader.fd, buffer.data(), reader.head.empty() ? 2048 : buffer.size(), MSG_DONTWAIT);
        if (got <= 0) die("recv");
        reader.head.append(buffer.data(), static_cast<std::size_t>(got));
        const auto end = reader.head.find("\r\n\r\n");
        if (end == std::string::npos) continue;
        const std::uint64_t of_body = reader.head.size() - end - 4;
        reader.body_left = content_length(reader.head) - of_body;
        bytes += of_body;
        reader.in_body = true;
      }
      if (reader.in_body && reader.body_left == 0) {
        ++requests;
        reader.in_body = false;
        reader.head.clear();
        ask(reader);
      }
    }
  }
  std::printf("{\"requests\":%llu,\"bytes\":%llu,\"seconds\":%.4f}\n",
              static_cast<unsigned long long>(requests), static_cast<unsigned long long>(bytes), elapsed());
  return 0;
}
