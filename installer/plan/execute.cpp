#include "installer/plan/execute.hpp"

#include <thread>

#include "installer/phases/phases.hpp"
#include "repo-server/mount/verification.hpp"
#include "repo-server/site_tls.hpp"

namespace sealift::installer {

Status verify_completely(const OpenedSite& opened, ProgressStyle style, const std::atomic<bool>* cancel) {
  const auto progress = make_progress("verified", style);
  for (const auto& bundle : opened.bundles) {
    if (repo_server::has_verification_record(kMirrorState, bundle->file())) continue;
    const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
    TRY(within(bundle::verify_all(*bundle, *progress, threads, cancel), bundle->file().path().string()));
    TRY(create_directories(kMirrorState));
    TRY(repo_server::write_verification_record(kMirrorState, bundle->file()));
  }
  return {};
}

Result<std::string> mirror_ca(const OpenedSite& opened, StepMode mode) {
  if (mode != StepMode::apply) {
    std::error_code error;
    const fs::path file = fs::path(kMirrorState) / "tls/ca.crt";
    if (!fs::exists(file, error)) return std::string();
    return read_file(file, 64U << 10);
  }
  TRY(create_directories(kMirrorState));
  const auto names =
      repo_server::local_names({}, {opened.mirror_address.str(), opened.cluster.endpoint.address.str()});
  TRY_ASSIGN(const repo_server::SiteTls tls, repo_server::site_tls(fs::path(kMirrorState), names, now()));
  return tls.ca_pem;
}

Result<Executed> execute(const OpenedSite& opened, const Sessions& sessions,
                         const std::map<std::string, HostReport>& reports, const ExecuteOptions& options) {
  TRY_ASSIGN(std::string ca, mirror_ca(opened, options.mode));
  TRY_ASSIGN(Site site, make_site(opened, reports, std::move(ca)));
  TRY_ASSIGN(const Plan plan, make_plan(site));
  std::map<std::string, Session*> links;
  std::vector<std::string> names;
  for (const auto& [name, session] : sessions) {
    links[name] = session.get();
    names.push_back(name);
  }
  TRY(check_plan(plan, names));
  if (options.mode == StepMode::apply) {
    const fs::path directory = cluster_directory(site.cluster.name);
    TRY(create_directories(directory, 0700));
    TRY(write_file_atomically(directory / "id", site.cluster_id + "\n", 0600));
  }
  TRY_ASSIGN(const auto report, make_report(plan, {options.style, options.log_directory}));
  RunOptions run;
  run.mode = options.mode;
  run.cancel = options.cancel;
  TRY_ASSIGN(RunSummary summary, run_plan(plan, links, run, *report));
  return Executed{std::move(summary), std::move(site)};
}

}  // namespace sealift::installer
