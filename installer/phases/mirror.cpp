#include "installer/phases/firewall.hpp"
#include "installer/phases/phases.hpp"
#include "installer/phases/steps.hpp"
#include "installer/render/system.hpp"
#include "lib/base/json.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kProgram = "/usr/local/bin/sealift";

std::string serve_command(const Site& site) {
  std::string command = std::string(kProgram) + " serve";
  const auto add = [&](const std::string& argument) { command += " " + systemd_quote(argument); };
  for (const SigningKey& key : site.mirror.keys) {
    add("--key");
    add("/etc/sealift/keys/" + key.name);
  }
  add("--threshold");
  add(std::to_string(site.mirror.threshold));
  add("--state-dir");
  add(kMirrorState);
  if (site.cluster.endpoint.address.is_v6()) {
    add("--listen");
    add("::");
  }
  add("--address");
  add(site.cluster.endpoint.address.str());
  if (site.cluster.mirror_address) {
    add("--address");
    add(site.cluster.mirror_address->str());
  }
  for (const std::string& path : site.mirror.bundles) add(path);
  return command;
}

}  // namespace

Status add_mirror(const Site& site, Plan& plan) {
  StepList steps("mirror", site.deploy);
  if (site.cluster.firewall)
    TRY(open_firewalls(site.facts.at(site.deploy), mirror_firewall(site.cluster), steps));
  std::vector<std::string> restart_on;
  steps.add("state", MakeDirectory{kMirrorState, 0755});
  if (site.mirror.program != kProgram)
    restart_on.push_back(
        steps.add("program", Run{.arguments = {"install", "-m", "0755", site.mirror.program, kProgram},
                                 .check = {"cmp", "-s", site.mirror.program, kProgram}}));
  for (const SigningKey& key : site.mirror.keys)
    restart_on.push_back(steps.add("key-" + key.name, WriteFile{"/etc/sealift/keys/" + key.name, key.text}));
  for (const std::string& path : site.mirror.bundles)
    if (!json::can_hold(path))
      return fail(ErrorCode::invalid_argument, "the path {} is not UTF-8: give the bundle another name",
                  json::to_utf8(path));
  TRY_ASSIGN(std::string unit, render_mirror_unit(serve_command(site), site.mirror.bundles_state));
  restart_on.push_back(
      steps.add("unit", WriteFile{"/etc/systemd/system/sealift-mirror.service", std::move(unit)}));
  steps.add("service", SystemdUnit{.unit = "sealift-mirror.service", .restart_on = restart_on},
            "journalctl -u sealift-mirror says why; another program may hold port 5000 or 12480");
  steps.add("ready",
            WaitFor{HttpAnswers{.url = site.mirror.repository_url() + "/healthz"}, std::chrono::seconds(60)},
            "journalctl -u sealift-mirror on the deploy host");
  plan.tasks.push_back(
      {.id = "mirror/" + site.deploy, .phase = "mirror", .host = site.deploy, .steps = steps.take()});
  return {};
}

}  // namespace sealift::installer
