/// A client that says bytes by hand.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/files.hpp"

namespace sealift::repo_server {

class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval timeout{20, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  }
  bool send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Everything until the server closes.
  std::string read_all() const {
    std::string text;
    char buffer[65536];
    while (true) {
      const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(got));
    }
  }
  std::string ask(std::string_view text) const {
    send(text);
    return read_all();
  }
  /// True when the server has ended the connection within `limit`; nothing is read from it.
  bool is_reset_within(std::chrono::milliseconds limit) const {
    pollfd watch{socket_.get(), 0, 0};
    return ::poll(&watch, 1, static_cast<int>(limit.count())) == 1;
  }
  /// Sends `text` and closes, both in one packet, so that the server finds both at once.
  void send_and_close(std::string_view text) {
    EXPECT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_MORE),
              static_cast<ssize_t>(text.size()));
    socket_ = FileDescriptor();
  }
  int fd() const { return socket_.get(); }

 private:
  FileDescriptor socket_;
};

}  // namespace sealift::repo_server
