#include "repo-server/mirror.hpp"

#include <csignal>
#include <thread>

#include "lib/base/clock.hpp"
#include "lib/base/progress.hpp"
#include "lib/bundle/verify.hpp"
#include "repo-server/http/listen.hpp"
#include "repo-server/mount/content_loader.hpp"
#include "repo-server/mount/verification.hpp"
#include "repo-server/process_environment.hpp"
#include "repo-server/registry/registry.hpp"
#include "repo-server/repository/repository.hpp"
#include "repo-server/site_tls.hpp"

namespace sealift::repo_server {
namespace {

constexpr std::uint64_t kManifestCacheBytes = 16U << 20;
constexpr unsigned kLoaderThreads = 2;
constexpr std::chrono::seconds kGrace{15};

Result<std::vector<std::shared_ptr<const bundle::VerifiedBundle>>> open_bundles(const MirrorOptions& options,
                                                                                Log& log) {
  if (options.bundles.empty())
    return fail(ErrorCode::invalid_argument, "no bundle to serve; name at least one .tar");
  bundle::TrustPolicy policy;
  policy.threshold = options.threshold;
  for (const fs::path& path : options.keys) {
    TRY_ASSIGN(auto key, PublicKey::from_file(path));
    policy.keys.push_back(std::move(key));
  }
  std::vector<std::shared_ptr<const bundle::VerifiedBundle>> bundles;
  for (const fs::path& path : options.bundles) {
    TRY_ASSIGN(auto verified, bundle::open_verified(path, policy));
    const bundle::Contents& contents = verified->contents();
    log.info("{}: {} {}, {} images, {} files, {}, root {}; {} good signature(s)", path.string(),
             contents.name, contents.version, contents.images.size(), contents.files.size(),
             format_bytes(contents.size), verified->file().root_digest().str(), verified->signers().size());
    bundles.push_back(std::move(verified));
  }
  return bundles;
}

struct Sockets {
  std::vector<FileDescriptor> registry;
  std::vector<FileDescriptor> repository;
};

Result<Sockets> open_sockets(const MirrorOptions& options) {
  Sockets sockets;
  for (auto& socket : http::inherited_sockets()) {
    TRY_ASSIGN(const std::uint16_t port, http::local_port(socket));
    if (port == options.registry_port) {
      sockets.registry.push_back(std::move(socket));
    } else if (port == options.repository_port) {
      sockets.repository.push_back(std::move(socket));
    } else {
      return fail(ErrorCode::invalid_argument,
                  "systemd handed over a socket on port {}; expected {} (registry) or {} (repository)", port,
                  options.registry_port, options.repository_port);
    }
  }
  if (!sockets.registry.empty() || !sockets.repository.empty()) return sockets;
  std::uint16_t registry_port = options.registry_port;
  std::uint16_t repository_port = options.repository_port;
  for (const std::string& address : options.listen) {
    TRY_ASSIGN(auto registry, http::listen_on(address, registry_port));
    TRY_ASSIGN(registry_port, http::local_port(registry));
    TRY_ASSIGN(auto repository, http::listen_on(address, repository_port));
    TRY_ASSIGN(repository_port, http::local_port(repository));
    sockets.registry.push_back(std::move(registry));
    sockets.repository.push_back(std::move(repository));
  }
  return sockets;
}

Result<std::uint16_t> port_of(const std::vector<FileDescriptor>& sockets) {
  if (sockets.empty()) return std::uint16_t{0};
  return http::local_port(sockets.front());
}

Result<SiteTls> choose_tls(const MirrorOptions& options, Log& log) {
  if (options.tls == http::TlsMode::plain_only) return SiteTls{};
  if (options.tls_certificate.has_value() != options.tls_key.has_value()) {
    return fail(ErrorCode::invalid_argument, "--tls-cert and --tls-key go together");
  }
  if (options.tls_certificate) return given_tls(*options.tls_certificate, *options.tls_key, now());
  TRY_ASSIGN(auto tls,
             site_tls(options.state_directory, local_names(options.names, options.addresses), now()));
  log.info("site CA fingerprint (sha256) {}{}", tls.ca_fingerprint,
           options.state_directory
               ? ""
               : "; it lives in memory only and changes at the next start: give --state-dir to keep it");
  return tls;
}

}  // namespace

/// In the order of construction; what stands below uses what stands above.
struct Mirror::Parts {
  std::string ca_pem;
  std::uint16_t registry_port = 0;
  std::uint16_t repository_port = 0;
  std::unique_ptr<http::AccessLog> access_log;
  http::Statistics statistics;
  Overlay overlay;
  std::unique_ptr<BackgroundVerification> verification;
  std::unique_ptr<ContentLoader> loader;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<ServerStatus> status;
  std::unique_ptr<FileRepository> repository;
  std::unique_ptr<http::Server> server;
};

Mirror::Mirror(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Mirror::~Mirror() { stop(std::chrono::milliseconds(0)); }
std::uint16_t Mirror::registry_port() const { return parts_->registry_port; }
std::uint16_t Mirror::repository_port() const { return parts_->repository_port; }
const std::string& Mirror::ca_pem() const { return parts_->ca_pem; }

Result<std::unique_ptr<Mirror>> Mirror::start(const MirrorOptions& options, Log& log) {
  auto parts = std::make_unique<Parts>();
  TRY_ASSIGN(parts->access_log, http::AccessLog::open(options.access_log));
  TRY_ASSIGN(auto sockets, open_sockets(options));
  TRY_ASSIGN(auto bundles, open_bundles(options, log));
  TRY_ASSIGN(parts->overlay, Overlay::mount(std::move(bundles), log));
  TRY_ASSIGN(auto tls, choose_tls(options, log));
  parts->ca_pem = tls.ca_pem;
  http::TlsContext context;
  if (options.tls != http::TlsMode::plain_only) {
    TRY_ASSIGN(context, http::make_server_tls(tls.server.certificate_pem, tls.server.key_pem));
  }
  TRY_ASSIGN(parts->registry_port, port_of(sockets.registry));
  TRY_ASSIGN(parts->repository_port, port_of(sockets.repository));

  const unsigned threads =
      options.verify_in_background ? std::max(1U, std::thread::hardware_concurrency() / 2) : 0;
  parts->verification = std::make_unique<BackgroundVerification>(parts->overlay.bundles(),
                                                                 options.state_directory, threads, log);
  parts->loader = std::make_unique<ContentLoader>(kLoaderThreads, kManifestCacheBytes);
  parts->registry = std::make_unique<Registry>(parts->overlay, *parts->loader);
  parts->status = std::make_unique<ServerStatus>(parts->overlay, *parts->verification, parts->statistics);
  RepositorySettings settings{tls.ca_pem, options.tls != http::TlsMode::plain_only, parts->registry_port,
                              parts->repository_port, "127.0.0.1"};
  parts->repository = std::make_unique<FileRepository>(
      parts->overlay, *parts->loader, parts->registry->catalog(), *parts->status, std::move(settings));

  std::vector<http::Listener> listeners;
  for (auto& socket : sockets.registry) {
    TRY_ASSIGN(const std::string address, http::local_address(socket));
    log.info("registry on {}", address);
    listeners.push_back({std::move(socket), parts->registry.get()});
  }
  for (auto& socket : sockets.repository) {
    TRY_ASSIGN(const std::string address, http::local_address(socket));
    log.info("repositories, files and the web page on {}", address);
    listeners.push_back({std::move(socket), parts->repository.get()});
  }
  TRY_ASSIGN(parts->server, http::Server::start(std::move(listeners), options.tls, std::move(context),
                                                options.limits, *parts->access_log, parts->statistics, log));
  return std::unique_ptr<Mirror>(new Mirror(std::move(parts)));
}

void Mirror::stop(std::chrono::milliseconds grace) {
  if (!parts_->server) return;
  // What still waits for a blob to be checked would outlast any grace: it gets its 503 now.
  parts_->loader->stop();
  parts_->server->stop(grace);
  parts_->verification->stop();
  parts_->server.reset();
}

Status serve(const MirrorOptions& options, Log& log) {
  prepare_server_process();
  const StopSignals signals;
  TRY_ASSIGN(const auto mirror, Mirror::start(options, log));
  notify_service_manager("READY=1");
  const int signal = signals.wait();
  log.info("stopping on {}; answers in flight have {} s to finish", signal == SIGINT ? "SIGINT" : "SIGTERM",
           kGrace.count());
  notify_service_manager("STOPPING=1");
  mirror->stop(kGrace);
  return {};
}

}  // namespace sealift::repo_server
