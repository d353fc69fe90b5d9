#include "repo-server/mirror.hpp"

#include <algorithm>
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

Result<bundle::TrustPolicy> read_policy(const MirrorOptions& options) {
  bundle::TrustPolicy policy;
  policy.threshold = options.threshold;
  for (const fs::path& path : options.keys) {
    TRY_ASSIGN(auto key, PublicKey::from_file(path));
    policy.keys.push_back(std::move(key));
  }
  return policy;
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

Result<SiteTls> choose_tls(const MirrorOptions& options, Timestamp at) {
  if (options.tls == http::TlsMode::plain_only) return SiteTls{};
  if (options.tls_certificate.has_value() != options.tls_key.has_value()) {
    return fail(ErrorCode::invalid_argument, "--tls-cert and --tls-key go together");
  }
  if (options.tls_certificate) return given_tls(*options.tls_certificate, *options.tls_key, at);
  return site_tls(options.state_directory, local_names(options.names, options.addresses), at);
}

/// The site's own certificates are renewed here; a given one only by who gave it.
void warn_before_end(const MirrorOptions& options, const SiteTls& tls, Timestamp at, Log& log) {
  if (!options.tls_certificate || tls.server.certificate_pem.empty()) return;
  const auto info = read_certificate(tls.server.certificate_pem, options.tls_certificate->string());
  if (!info || info->not_after >= at + kRenewBefore) return;
  const bool is_copy = is_service_credential(*options.tls_certificate);
  log.warning("{}: the certificate expires at {}; {}", options.tls_certificate->string(),
              format_rfc3339(info->not_after),
              is_copy ? "put a new one where systemd took this copy from, and restart the service"
                      : "put a new one there");
}

}  // namespace

/// What answers, made of the bundles as they are at that moment. In the order of construction; what stands
/// below uses what stands above.
struct Mirror::Service {
  Overlay overlay;
  std::unique_ptr<BackgroundVerification> verification;
  std::unique_ptr<ContentLoader> loader;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<ServerStatus> status;
  std::unique_ptr<FileRepository> repository;

  /// What still waits for a blob to be checked is told so. Idempotent; afterwards it has no threads, and
  /// whoever lets go of it last may be any thread.
  void stop() {
    loader->stop();
    verification->stop();
  }
};

/// Answers with the service of the moment.
class Mirror::Front final : public http::Handler {
 public:
  using Choice = const http::Handler& (*)(const Service&);
  Front(const Mirror& mirror, Choice choice) : mirror_(mirror), choice_(choice) {}

  http::Response handle(const http::Request& request) const override {
    const auto service = mirror_.service();
    http::Response response = choice_(*service).handle(request);
    if (response.prepare) response.prepare = keeping(service, std::move(response.prepare));
    return response;
  }
  http::Response failure(const http::Request& request, const Error& error) const override {
    return choice_(*mirror_.service()).failure(request, error);
  }

 private:
  /// The service lives until the preparation is done. One that was replaced meanwhile has not failed: the
  /// request is asked again, of the new one.
  http::Preparation keeping(std::shared_ptr<const Service> service, http::Preparation prepare) const {
    return [this, service = std::move(service), prepare = std::move(prepare)](auto done) {
      prepare([this, service, done = std::move(done)](Status status) {
        done(service == mirror_.service() ? std::move(status) : Status());
      });
    };
  }

  const Mirror& mirror_;
  const Choice choice_;
};

Mirror::Mirror(MirrorOptions options, Log& log)
    : options_(std::move(options)),
      log_(log),
      registry_(std::make_unique<Front>(
          *this, [](const Service& service) -> const http::Handler& { return *service.registry; })),
      repository_(std::make_unique<Front>(
          *this, [](const Service& service) -> const http::Handler& { return *service.repository; })) {}
Mirror::~Mirror() { stop(std::chrono::milliseconds(0)); }

Result<std::unique_ptr<Mirror>> Mirror::start(const MirrorOptions& options, Log& log) {
  std::unique_ptr<Mirror> mirror(new Mirror(options, log));
  TRY_ASSIGN(mirror->access_log_, http::AccessLog::open(options.access_log));
  TRY_ASSIGN(auto sockets, open_sockets(options));
  TRY_ASSIGN(mirror->policy_, read_policy(options));
  if (options.bundles.empty())
    return fail(ErrorCode::invalid_argument, "no bundle to serve; name at least one .tar");
  Overlay::Bundles bundles;
  for (const fs::path& path : options.bundles) {
    TRY_ASSIGN(auto mounted, mirror->open_bundle(path));
    bundles.push_back(std::move(mounted));
  }
  TRY_ASSIGN(auto overlay, Overlay::mount(std::move(bundles)));
  TRY_ASSIGN(const SiteTls tls, choose_tls(options, now()));
  if (!tls.ca_pem.empty()) {
    log.info("site CA fingerprint (sha256) {}{}", tls.ca_fingerprint,
             options.state_directory
                 ? ""
                 : "; it lives in memory only and changes at the next start: give --state-dir to keep it");
  }
  warn_before_end(options, tls, now(), log);
  mirror->ca_pem_ = tls.ca_pem;
  mirror->certificate_pem_ = tls.server.certificate_pem;
  TRY_ASSIGN(mirror->registry_port_, port_of(sockets.registry));
  TRY_ASSIGN(mirror->repository_port_, port_of(sockets.repository));
  http::TlsContext context;
  if (options.tls != http::TlsMode::plain_only) {
    TRY_ASSIGN(context, http::make_server_tls(tls.server.certificate_pem, tls.server.key_pem));
  }
  mirror->service_ = mirror->make_service(std::move(overlay));

  std::vector<http::Listener> listeners;
  for (auto& socket : sockets.registry) {
    TRY_ASSIGN(const std::string address, http::local_address(socket));
    log.info("registry on {}", address);
    listeners.push_back({std::move(socket), mirror->registry_.get()});
  }
  for (auto& socket : sockets.repository) {
    TRY_ASSIGN(const std::string address, http::local_address(socket));
    log.info("repositories, files and the web page on {}", address);
    listeners.push_back({std::move(socket), mirror->repository_.get()});
  }
  TRY_ASSIGN(mirror->server_,
             http::Server::start(std::move(listeners), options.tls, std::move(context), options.limits,
                                 *mirror->access_log_, mirror->statistics_, log));
  return mirror;
}

std::shared_ptr<Mirror::Service> Mirror::make_service(Overlay overlay) const {
  auto service = std::make_shared<Service>();
  service->overlay = std::move(overlay);
  const unsigned threads =
      options_.verify_in_background ? std::max(1U, std::thread::hardware_concurrency() / 2) : 0;
  service->verification = std::make_unique<BackgroundVerification>(service->overlay.bundles(),
                                                                   options_.state_directory, threads, log_);
  service->loader = std::make_unique<ContentLoader>(kLoaderThreads, kManifestCacheBytes);
  service->registry = std::make_unique<Registry>(service->overlay, *service->loader);
  service->status = std::make_unique<ServerStatus>(service->overlay, *service->verification, statistics_);
  RepositorySettings settings{ca_pem_, options_.tls != http::TlsMode::plain_only, registry_port_,
                              repository_port_, "127.0.0.1"};
  service->repository =
      std::make_unique<FileRepository>(service->overlay, *service->loader, service->registry->catalog(),
                                       *service->status, std::move(settings));
  return service;
}

std::shared_ptr<Mirror::Service> Mirror::service() const {
  const std::lock_guard lock(mutex_);
  return service_;
}

Result<std::shared_ptr<const MountedBundle>> Mirror::open_bundle(const fs::path& path) const {
  TRY_ASSIGN(auto verified, bundle::open_verified(path, policy_));
  const bundle::Contents& contents = verified->contents();
  log_.info("{}: {} {}, {} images, {} files, {}, root {}; {} good signature(s)", path.string(), contents.name,
            contents.version, contents.images.size(), contents.files.size(), format_bytes(contents.size),
            verified->file().root_digest().str(), verified->signers().size());
  return std::make_shared<const MountedBundle>(std::move(verified), log_);
}

std::vector<bundle::FileIdentity> Mirror::files() const {
  std::vector<bundle::FileIdentity> identities;
  for (const auto& mounted : service()->overlay.bundles())
    identities.push_back(mounted->verified().file().current_identity().value_or(bundle::FileIdentity{}));
  return identities;
}

bool Mirror::is_untouched() const {
  return std::ranges::all_of(service()->overlay.bundles(),
                             [](const auto& mounted) { return mounted->is_untouched(); });
}

Status Mirror::remount() {
  Overlay::Bundles bundles = service()->overlay.bundles();
  bool changed = false;
  Status refused;
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    if (bundles[i]->is_untouched()) continue;
    auto opened = open_bundle(options_.bundles[i]);
    changed = changed || opened;
    if (opened)
      bundles[i] = std::move(*opened);
    else if (refused)
      refused = tl::unexpected(std::move(opened).error());
  }
  if (changed) {
    TRY_ASSIGN(auto overlay, Overlay::mount(std::move(bundles)));
    auto service = make_service(std::move(overlay));
    {
      const std::lock_guard lock(mutex_);
      std::swap(service_, service);
    }
    service->stop();
  }
  return refused;
}

Status Mirror::renew_certificate(Timestamp now) {
  // What lives in memory only was made with an authority nobody could go on from.
  if (options_.tls == http::TlsMode::plain_only || (!options_.state_directory && !options_.tls_certificate))
    return {};
  TRY_ASSIGN(const SiteTls tls, choose_tls(options_, now));
  warn_before_end(options_, tls, now, log_);
  if (tls.server.certificate_pem == certificate_pem_) return {};
  TRY_ASSIGN(auto context, http::make_server_tls(tls.server.certificate_pem, tls.server.key_pem));
  server_->use(std::move(context));
  certificate_pem_ = tls.server.certificate_pem;
  log_.info("a new server certificate is in use");
  return {};
}

void Mirror::stop(std::chrono::milliseconds grace) {
  if (!server_) return;
  // First: what waits for a blob to be checked would outlast any grace.
  service()->stop();
  server_->stop(grace);
  server_.reset();
}

}  // namespace sealift::repo_server
