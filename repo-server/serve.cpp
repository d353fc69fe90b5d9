#include <csignal>

#include "lib/base/clock.hpp"
#include "repo-server/mirror.hpp"
#include "repo-server/process_environment.hpp"

namespace sealift::repo_server {
namespace {

constexpr std::chrono::seconds kGrace{15};
constexpr std::chrono::seconds kLook{1};
constexpr std::chrono::seconds kPauseAfterRefusal{10};
constexpr std::chrono::hours kLookAtCertificate{12};

/// What a mirror needs while it runs for years.
class Caretaker {
 public:
  Caretaker(Mirror& mirror, Log& log) : mirror_(mirror), log_(log), files_(mirror.files()) {}

  void look() {
    const auto moment = std::chrono::steady_clock::now();
    if (moment >= next_certificate_) {
      next_certificate_ = moment + kLookAtCertificate;
      say(mirror_.renew_certificate(now()), "the server certificate could not be looked at", certificate_);
    }
    // Not while somebody is still writing: when two looks in a row find the same.
    auto files = mirror_.files();
    const bool settled = files == files_;
    files_ = std::move(files);
    if (!settled || moment < next_remount_ || mirror_.is_untouched()) return;
    if (!say(mirror_.remount(), "not served as it is now", refused_))
      next_remount_ = moment + kPauseAfterRefusal;
  }

 private:
  /// Logs an error unless `last` says that it was logged already.
  bool say(const Status& status, std::string_view what, std::string& last) {
    const std::string why = status ? "" : status.error().message();
    if (!why.empty() && why != last) log_.error("{}: {}", what, why);
    last = why;
    return why.empty();
  }

  Mirror& mirror_;
  Log& log_;
  std::vector<bundle::FileIdentity> files_;
  std::chrono::steady_clock::time_point next_remount_;
  std::chrono::steady_clock::time_point next_certificate_ =
      std::chrono::steady_clock::now() + kLookAtCertificate;
  std::string refused_;
  std::string certificate_;
};

}  // namespace

Status serve(const MirrorOptions& options, Log& log) {
  prepare_server_process();
  const StopSignals signals;
  TRY_ASSIGN(const auto mirror, Mirror::start(options, log));
  notify_service_manager("READY=1");
  Caretaker caretaker(*mirror, log);
  std::optional<int> signal;
  while (!(signal = signals.wait_for(kLook))) caretaker.look();
  log.info("stopping on {}; answers in flight have {} s to finish", *signal == SIGINT ? "SIGINT" : "SIGTERM",
           kGrace.count());
  notify_service_manager("STOPPING=1");
  mirror->stop(kGrace);
  return {};
}

}  // namespace sealift::repo_server
