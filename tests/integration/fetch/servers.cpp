#include "tests/integration/fetch/servers.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/process.hpp"
#include "lib/crypto/digest.hpp"

extern char** environ;

namespace sealift::test {

namespace {

constexpr const char* kSource = SEALIFT_SOURCE_DIR;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Result<std::uint16_t> free_port() {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof(address);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return fail_errno(errno, "no free port on loopback");
  }
  return ntohs(address.sin_port);
}

/// Calls `ready` every 20 ms for at most a minute: the machine may be busy.
template <typename Ready>
bool poll_until(Ready ready) {
  for (int i = 0; i < 3000; ++i) {
    if (ready()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

Status wait_for_port(std::uint16_t port, const fs::path& log) {
  const bool open = poll_until([port] {
    const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  });
  if (open) return {};
  return fail(ErrorCode::io, "nothing listens on port {}: {}", port,
              read_file(log, 1U << 20).value_or("no log"));
}

Status openssl(std::vector<std::string> arguments, std::string input = {}) {
  Command command;
  command.arguments = std::move(arguments);
  command.arguments.insert(command.arguments.begin(), "openssl");
  command.input = std::move(input);
  TRY(run_checked(command));
  return {};
}

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(std::vector<std::string> arguments,
                                                            const fs::path& log) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = -1;
  const int problem = ::posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) return fail_errno(problem, "cannot start " + arguments[0]);
  return std::unique_ptr<ServerProcess>(new ServerProcess(pid));
}

ServerProcess::~ServerProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Result<std::unique_ptr<HostileServer>> HostileServer::start() {
  TRY_ASSIGN(TemporaryDirectory directory, TemporaryDirectory::create("sealift-hostile-"));
  auto server = std::unique_ptr<HostileServer>(new HostileServer(std::move(directory)));
  TRY(sealift::create_directories(server->files()));
  const fs::path log = server->directory_.path() / "log";
  TRY_ASSIGN(server->process_,
             ServerProcess::start({"python3", std::string(kSource) + "/tests/support/hostile_server.py",
                                   server->files().string()},
                                  log));
  std::string text;
  const bool printed = poll_until([&] {
    text = read_file(log, 4096).value_or("");
    return text.ends_with('\n');
  });
  if (!printed) return fail(ErrorCode::io, "the hostile server did not start: {}", text);
  server->host_ = "127.0.0.1:" + text.substr(0, text.find('\n'));
  return server;
}

namespace {
json::Value seen_by(const std::string& url, const std::string& path) {
  Command command;
  command.arguments = {"curl", "-s", url};
  const auto output = run_checked(command);
  if (!output) return {};
  auto all = json::parse(output->out, "seen");
  if (!all || !all->as_object().contains(path)) return {};
  return all->as_object().at(path);
}
}  // namespace

std::uint64_t HostileServer::requests(const std::string& path) const {
  const json::Value value = seen_by(url("seen"), path);
  return value.is_object() ? value.as_object().at("requests").to_number<std::uint64_t>() : 0;
}

std::string HostileServer::authorization(const std::string& path) const {
  const json::Value value = seen_by(url("seen"), path);
  return value.is_object() ? std::string(value.as_object().at("authorization").as_string()) : "not asked";
}

Result<std::unique_ptr<RegistryServer>> RegistryServer::start(RegistryAuthentication authentication) {
  TRY_ASSIGN(TemporaryDirectory directory, TemporaryDirectory::create("sealift-registry-"));
  auto server = std::unique_ptr<RegistryServer>(new RegistryServer(std::move(directory)));
  TRY(server->fill());
  TRY(write_file_atomically(server->empty_authfile(), "{}"));
  if (authentication == RegistryAuthentication::none) return server;
  TRY(server->make_certificates());
  TRY(server->serve(authentication));
  return server;
}

Status RegistryServer::start_registry(const std::string& extra) {
  TRY_ASSIGN(const std::uint16_t port, free_port());
  host_ = fmt::format("127.0.0.1:{}", port);
  const fs::path config = directory_.path() / "registry.yml";
  TRY(write_file_atomically(
      config,
      fmt::format("version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n"
                  "http:\n  addr: \"{}\"\n  secret: test\n{}",
                  (directory_.path() / "storage").string(), host_, extra)));
  const fs::path log = directory_.path() / "registry.log";
  TRY_ASSIGN(registry_, ServerProcess::start({"docker-registry", "serve", config.string()}, log));
  return wait_for_port(port, log);
}

Status RegistryServer::fill() {
  TRY(start_registry(""));
  Command command;
  command.arguments = {"python3", std::string(kSource) + "/tests/support/push_images.py", "http://" + host_};
  command.deadline = std::chrono::minutes(4);
  TRY_ASSIGN(const CommandOutput output, run_checked(command));
  TRY_ASSIGN(made_, json::parse(output.out, "push_images.py"));
  return {};
}

Status RegistryServer::make_certificates() {
  const fs::path tls = directory_.path() / "tls";
  TRY(sealift::create_directories(tls));
  const auto path = [&](const std::string& name) { return (tls / name).string(); };
  const auto make_key = [&](const std::string& name, const std::string& algorithm) {
    return openssl({"genpkey", "-algorithm", algorithm, "-pkeyopt",
                    algorithm == "EC" ? "ec_paramgen_curve:P-256" : "rsa_keygen_bits:2048", "-out",
                    path(name + ".key")});
  };
  TRY(make_key("ca", "EC"));
  TRY(openssl({"req", "-x509", "-key", path("ca.key"), "-out", path("ca.crt"), "-days", "2", "-subj",
               "/CN=throwaway authority of a test"}));
  struct Wanted {
    std::string name;
    std::string algorithm;
    std::string extensions;
  };
  // Tokens are signed with RS256.
  const std::vector<Wanted> wanted = {
      {"server", "EC", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"},
      {"token", "RSA", "keyUsage=digitalSignature\n"}};
  for (const auto& [name, algorithm, extensions] : wanted) {
    TRY(make_key(name, algorithm));
    TRY(openssl(
        {"req", "-new", "-key", path(name + ".key"), "-out", path(name + ".csr"), "-subj", "/CN=" + name}));
    TRY(write_file_atomically(tls / (name + ".ext"), extensions));
    TRY(openssl({"x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.crt"), "-CAkey", path("ca.key"),
                 "-CAcreateserial", "-days", "2", "-extfile", path(name + ".ext"), "-out",
                 path(name + ".crt")}));
  }
  return {};
}

Status RegistryServer::make_logins() {
  const auto config = [&](const std::string& login) {
    return fmt::format("{{\"auths\": {{\"{}\": {{\"auth\": \"{}\"}}}}}}", host_, to_base64(as_bytes(login)));
  };
  TRY(write_file_atomically(authfile(), config("lab:right:password")));
  return write_file_atomically(wrong_authfile(), config("lab:wrong"));
}

Status RegistryServer::serve(RegistryAuthentication authentication) {
  const std::string directory = directory_.path().string();
  std::string extra =
      fmt::format("  tls: {{certificate: {0}/tls/server.crt, key: {0}/tls/server.key}}\n", directory);
  TRY(write_file_atomically(directory_.path() / "credentials", "lab:right:password\n"));
  if (authentication == RegistryAuthentication::basic) {
    // perl's crypt is libxcrypt's; the registry takes bcrypt only.
    Command command;
    command.arguments = {"perl", "-e", "print crypt('right:password', '$2y$05$abcdefghijklmnopqrstuu')"};
    TRY_ASSIGN(const CommandOutput hash, run_checked(command));
    TRY(write_file_atomically(directory_.path() / "htpasswd", "lab:" + hash.out + "\n"));
    extra += fmt::format("auth: {{htpasswd: {{realm: lab, path: {}/htpasswd}}}}\n", directory);
  } else {
    TRY_ASSIGN(const std::uint16_t port, free_port());
    const fs::path log = directory_.path() / "token.log";
    TRY_ASSIGN(token_server_,
               ServerProcess::start({"python3", std::string(kSource) + "/tests/e2e/lab/token-server.py",
                                     "127.0.0.1", std::to_string(port), directory},
                                    log));
    TRY(wait_for_port(port, log));
    extra += fmt::format(
        "auth: {{token: {{realm: \"https://127.0.0.1:{}/token\", service: sealift-lab-registry, issuer: "
        "sealift-lab-token-server, rootcertbundle: {}/tls/ca.crt}}}}\n",
        port, directory);
  }
  registry_.reset();
  TRY(start_registry(extra));
  return make_logins();
}

std::string RegistryServer::digest(const std::string& image) const {
  return std::string(made_.as_object().at(image).as_object().at("digest").as_string());
}

}  // namespace sealift::test
