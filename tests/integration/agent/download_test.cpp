// Steps that fetch, against a real HTTP server that can also misbehave.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <arpa/inet.h>
#include <elf.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/process.hpp"
#include "program.hpp"

namespace sealift::installer {
namespace {

/// Serves one body to every request: /good whole, /short cut off, /restarted refused at first, then cut off,
/// then whole, anything else 404.
class Server {
 public:
  explicit Server(std::string body)
      : body_(std::move(body)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 16);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string url(const std::string& path) const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }
  int requests() const { return requests_.load(); }

 private:
  void serve() {
    for (;;) {
      const FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      ++requests_;
      std::string head;
      char byte = 0;
      while (head.find("\r\n\r\n") == std::string::npos && ::recv(client.get(), &byte, 1, 0) == 1)
        head += byte;
      const bool restarted = head.starts_with("GET /restarted ");
      const bool refused = restarted && requests_ == 1;
      const bool cut = head.starts_with("GET /short ") || (restarted && requests_ == 2);
      const bool found = cut || head.starts_with("GET /good ") || (restarted && !refused);
      std::string answer = fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n",
                                       found     ? "200 OK"
                                       : refused ? "503 Service Unavailable"
                                                 : "404 Not Found",
                                       found ? body_.size() : 0);
      if (found) answer += body_.substr(0, cut ? body_.size() / 2 : body_.size());
      for (std::size_t sent = 0; sent < answer.size();) {
        const ssize_t count = ::send(client.get(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
      }
    }
  }

  std::string body_;
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

class DownloadTest : public testing::Test {
 protected:
  DownloadTest()
      : directory_(std::move(*TemporaryDirectory::create("sealift-download"))),
        root_(directory_.path() / "root") {
    fs::create_directories(root_);
    session_ = local_session(root_.string());
  }
  Status apply(const Action& action) {
    return session_->run(kOwner, {{"s", action, ""}}, StepMode::apply, told_.handler());
  }
  /// A tar of what the shell text makes in an empty folder.
  std::string tar_of(const std::string& commands, const std::string& options) {
    const std::string folder = (directory_.path() / "src").string();
    fs::remove_all(folder);
    fs::create_directories(folder);
    const auto made = run_checked({.arguments = {"sh", "-c", "cd " + folder + " && " + commands}});
    EXPECT_TRUE(made) << made.error().message();
    const std::string file = (directory_.path() / "archive").string();
    const auto packed =
        run_checked({.arguments = {"sh", "-c", "cd " + folder + " && tar -cf " + file + " " + options}});
    EXPECT_TRUE(packed) << packed.error().message();
    return *read_file(file, 64 << 20);
  }
  Download from(const Server& server, const std::string& path, const std::string& body) {
    return {.urls = {server.url(path)}, .digest = digest_of(body), .size = body.size(), .ca_pem = {}};
  }

  TemporaryDirectory directory_;
  fs::path root_;
  std::unique_ptr<Session> session_;
  Told told_;
};

TEST_F(DownloadTest, FetchesVerifiesAndDoesNotAskAgain) {
  const std::string body(3'000'000, 'k');
  const Server server(body);
  const FetchFile wish{
      .from = from(server, "/good", body), .path = "/usr/local/bin/kubelet", .mode = 0755, .elf_machine = {}};
  const Status status = apply(wish);
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(*read_file(root_ / "usr/local/bin/kubelet", 4 << 20), body);
  ASSERT_TRUE(apply(wish));
  EXPECT_EQ(told_.result("s"), StepResult::unchanged);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(DownloadTest, TakesTheNextMirrorAndNamesAllThatFailed) {
  const std::string body = "content";
  const Server server(body);
  FetchFile wish{.from = from(server, "/good", body), .path = "/f", .mode = 0644, .elf_machine = {}};
  wish.from.urls = {"http://127.0.0.1:1/x", server.url("/none"), server.url("/short"), server.url("/good")};
  EXPECT_TRUE(apply(wish));
  fs::remove(root_ / "f");
  wish.from.urls.pop_back();
  const Status status = apply(wish);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("127.0.0.1:1"), std::string::npos);
  EXPECT_NE(status.error().message().find("404"), std::string::npos);
  EXPECT_FALSE(fs::exists(root_ / "f"));
  EXPECT_FALSE(fs::exists(root_ / "f.sealift-new")) << "nothing half is left";
}

TEST_F(DownloadTest, TriesAgainWhenAConnectionBreaks) {
  const std::string body(100'000, 'k');
  const Server server(body);
  const Status status = apply(
      FetchFile{.from = from(server, "/restarted", body), .path = "/f", .mode = 0644, .elf_machine = {}});
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(*read_file(root_ / "f", 1 << 20), body);
  EXPECT_EQ(server.requests(), 3);
  EXPECT_NE(told_.output.find("503"), std::string::npos) << told_.output;
  EXPECT_NE(told_.output.find("the connection was closed"), std::string::npos) << told_.output;
}

TEST_F(DownloadTest, DoesNotAskAgainForWhatTheMirrorDoesNotHave) {
  const Server server("");
  const Status status =
      apply(FetchFile{.from = from(server, "/none", "x"), .path = "/f", .mode = 0644, .elf_machine = {}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::not_found);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(DownloadTest, RefusesOtherBytesAndOtherSizes) {
  const Server server("other bytes");
  FetchFile wish{.from = from(server, "/good", "wished byte"), .path = "/f", .mode = 0644, .elf_machine = {}};
  const Status digest = apply(wish);
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().code(), ErrorCode::integrity);
  wish.from = from(server, "/good", "wished");
  const Status size = apply(wish);
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code(), ErrorCode::integrity);
  EXPECT_FALSE(fs::exists(root_ / "f"));
}

TEST_F(DownloadTest, RefusesAProgramForAnotherMachine) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_machine = EM_PPC64;
  const std::string body(reinterpret_cast<const char*>(&header), sizeof header);
  const Server server(body);
  const Status status = apply(FetchFile{
      .from = from(server, "/good", body), .path = "/bin/x", .mode = 0755, .elf_machine = "x86_64"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::precondition);
  EXPECT_FALSE(fs::exists(root_ / "bin/x"));
}

TEST_F(DownloadTest, UnpacksWhatIsWantedAndMendsIt) {
  const std::string body = tar_of(
      "mkdir -p cni/bin; echo b >cni/bin/bridge; echo h >cni/bin/host-local; echo r >cni/README; "
      "chmod 755 cni/bin/*; ln -s bridge cni/bin/alias",
      "-z cni");
  const Server server(body);
  const UnpackArchive wish{.from = from(server, "/good", body),
                           .directory = "/opt/cni",
                           .strip_components = 1,
                           .members = {"bin"}};
  const Status status = apply(wish);
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(*read_file(root_ / "opt/cni/bin/bridge", 100), "b\n");
  EXPECT_EQ(fs::read_symlink(root_ / "opt/cni/bin/alias"), "bridge");
  EXPECT_FALSE(fs::exists(root_ / "opt/cni/README"));
  ASSERT_TRUE(apply(wish));
  EXPECT_EQ(told_.result("s"), StepResult::unchanged);
  ASSERT_TRUE(write_file_atomically(root_ / "opt/cni/bin/bridge", "x", 0755));
  ASSERT_TRUE(apply(wish));
  EXPECT_EQ(told_.result("s"), StepResult::changed);
  EXPECT_EQ(*read_file(root_ / "opt/cni/bin/bridge", 100), "b\n");
  ASSERT_TRUE(session_->run(kOwner, {{"s", wish, ""}}, StepMode::undo, told_.handler()));
  EXPECT_FALSE(fs::exists(root_ / "opt/cni/bin/bridge"));
}

TEST_F(DownloadTest, RefusesArchivesThatReachOutOfTheirFolder) {
  const std::vector<std::pair<std::string, std::string>> attacks = {
      {"echo x >evil", "--transform 's,^,../../,' evil -P"},
      {"echo x >evil", "--transform 's,^,/tmp/sealift-attack/,' evil -P"},
      {"ln -s /etc link", "link"},
      {"ln -s ../../.. link", "link"},
      {"echo x >a; ln a b", "a b"},
      {"mkfifo pipe", "pipe"},
  };
  for (const auto& [make, pack] : attacks) {
    const std::string body = tar_of(make, pack);
    const Server server(body);
    const Status status =
        apply(UnpackArchive{.from = from(server, "/good", body), .directory = "/opt/x", .members = {}});
    EXPECT_FALSE(status) << make << " / " << pack;
    EXPECT_FALSE(fs::exists(root_ / "evil"));
    EXPECT_FALSE(fs::exists("/tmp/sealift-attack"));
  }
}

}  // namespace
}  // namespace sealift::installer
