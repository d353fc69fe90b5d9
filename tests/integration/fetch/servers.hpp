/// Real upstreams on loopback for one test: started here, ended by pid with the object.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "lib/base/files.hpp"
#include "lib/base/json.hpp"
#include "lib/base/result.hpp"

namespace sealift::test {

/// A child process whose output goes to a file.
class ServerProcess {
 public:
  static Result<std::unique_ptr<ServerProcess>> start(std::vector<std::string> arguments,
                                                      const fs::path& log);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

 private:
  explicit ServerProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

/// tests/support/hostile_server.py
class HostileServer {
 public:
  static Result<std::unique_ptr<HostileServer>> start();
  /// "http://127.0.0.1:port/<path>"
  std::string url(const std::string& path) const { return "http://" + host_ + "/" + path; }
  const std::string& host() const { return host_; }
  /// What /file/ serves.
  fs::path files() const { return directory_.path() / "files"; }
  /// Requests for that path ("/close/10/5") so far.
  std::uint64_t requests(const std::string& path) const;
  /// Authorization header of the last request for that path.
  std::string authorization(const std::string& path) const;

 private:
  explicit HostileServer(TemporaryDirectory directory) : directory_(std::move(directory)) {}
  TemporaryDirectory directory_;
  std::unique_ptr<ServerProcess> process_;
  std::string host_;
};

enum class RegistryAuthentication { none, basic, token };

/// docker-registry with the images of tests/support/push_images.py. Without authentication it speaks plain
/// http, else https with a certificate of a throwaway authority, and `token` has the lab's token server
/// beside it.
class RegistryServer {
 public:
  static Result<std::unique_ptr<RegistryServer>> start(RegistryAuthentication authentication);
  /// "127.0.0.1:port"
  const std::string& host() const { return host_; }
  std::string ca_file() const { return (directory_.path() / "tls/ca.crt").string(); }
  /// docker's config.json with the right login, and one with a wrong password.
  fs::path authfile() const { return directory_.path() / "auth.json"; }
  fs::path wrong_authfile() const { return directory_.path() / "wrong.json"; }
  fs::path empty_authfile() const { return directory_.path() / "empty.json"; }
  /// What push_images.py printed.
  const json::Value& made() const { return made_; }
  std::string digest(const std::string& image) const;

 private:
  explicit RegistryServer(TemporaryDirectory directory) : directory_(std::move(directory)) {}
  Status make_certificates();
  Status make_logins();
  Status fill();
  Status serve(RegistryAuthentication authentication);
  Status start_registry(const std::string& extra);

  TemporaryDirectory directory_;
  std::unique_ptr<ServerProcess> token_server_;
  std::unique_ptr<ServerProcess> registry_;
  std::string host_;
  json::Value made_;
};

}  // namespace sealift::test
