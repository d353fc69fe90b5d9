#include "installer/render/runtime.hpp"

#include "installer/phases/phases.hpp"
#include "installer/phases/steps.hpp"
#include "installer/plan/supply.hpp"

namespace sealift::installer {
namespace {

constexpr const char* kKubelet = "/usr/local/bin/kubelet";
constexpr const char* kCaFile = "/etc/sealift/ca.crt";

/// A program of the bundle by its role; the bundle was checked to hold it.
Result<const bundle::FileEntry*> find_program(const Site& site, const Host& host, const std::string& role) {
  const std::string platform = platform_of(site.of(host).machine);
  if (const auto* file = site.contents.find_role(role, platform); file != nullptr) return file;
  return fail(ErrorCode::precondition, "the bundle has no {} for {} (host '{}')", role, platform, host.name);
}

bool is_archive(const bundle::FileEntry& file) {
  return file.path.ends_with(".tar.gz") || file.path.ends_with(".tgz") || file.path.ends_with(".tar");
}

/// kubeadm, kubelet, kubectl, crictl: fetched while packages are installed.
Result<Task> programs_task(const Site& site, const Host& host) {
  StepList steps("runtime", host.name);
  for (const char* role : {"kubeadm", "kubelet", "kubectl"}) {
    TRY_ASSIGN(const auto* file, find_program(site, host, role));
    steps.add(role, FetchFile{.from = download(site, *file),
                              .path = std::string("/usr/local/bin/") + role,
                              .mode = 0755,
                              .elf_machine = site.of(host).machine});
  }
  TRY_ASSIGN(const auto* crictl, find_program(site, host, "crictl"));
  if (is_archive(*crictl))
    steps.add(
        "crictl",
        UnpackArchive{.from = download(site, *crictl), .directory = "/usr/local/bin", .members = {"crictl"}});
  else
    steps.add("crictl",
              FetchFile{.from = download(site, *crictl), .path = "/usr/local/bin/crictl", .mode = 0755});
  return Task{.id = "runtime/" + host.name + "/programs",
              .phase = "runtime",
              .host = host.name,
              .lane = "programs",
              .after = {"mirror/" + site.deploy},
              .steps = steps.take()};
}

/// containerd, runc and CNI plugins as releases, where the bundle has them so.
Status add_releases(const Site& site, const Host& host, StepList& steps,
                    std::vector<std::string>& restart_on) {
  const std::string platform = platform_of(site.of(host).machine);
  if (const auto* file = site.contents.find_role("containerd", platform); file != nullptr) {
    restart_on.push_back(
        steps.add("containerd", UnpackArchive{.from = download(site, *file), .directory = "/usr/local"}));
    TRY_ASSIGN(std::string unit, render_containerd_unit());
    restart_on.push_back(
        steps.add("containerd-unit", WriteFile{"/etc/systemd/system/containerd.service", std::move(unit)}));
  }
  if (const auto* file = site.contents.find_role("runc", platform); file != nullptr)
    steps.add("runc", FetchFile{.from = download(site, *file),
                                .path = "/usr/local/sbin/runc",
                                .mode = 0755,
                                .elf_machine = site.of(host).machine});
  if (const auto* file = site.contents.find_role("cni-plugins", platform); file != nullptr) {
    steps.add("cni-plugins", UnpackArchive{.from = download(site, *file), .directory = "/opt/cni/bin"});
  } else {
    // Debian's package keeps the plugins where containerd does not look.
    steps.add("cni-directory", MakeDirectory{"/opt/cni", 0755});
    steps.add("cni-plugins", Symlink{"/opt/cni/bin", "/usr/lib/cni"});
  }
  return {};
}

Status add_kubelet(StepList& steps, const ReleaseVersion& kubernetes) {
  TRY_ASSIGN(std::string unit, render_kubelet_unit(kKubelet));
  TRY_ASSIGN(std::string dropin, render_kubelet_dropin(kKubelet, kubernetes));
  steps.add("manifests", MakeDirectory{"/etc/kubernetes/manifests", 0755});
  steps.add("secrets", MakeDirectory{"/etc/kubernetes/sealift", 0700});
  const std::string unit_id =
      steps.add("kubelet-unit", WriteFile{"/etc/systemd/system/kubelet.service", std::move(unit)});
  const std::string settings_id =
      steps.add("kubelet-settings",
                WriteFile{"/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", std::move(dropin)});
  // kubeadm starts it once there is something to run.
  steps.add(
      "kubelet-service",
      SystemdUnit{.unit = "kubelet.service", .active = Wanted::leave, .restart_on = {unit_id, settings_id}});
  return {};
}

Result<Task> runtime_task(const Site& site, const Host& host) {
  StepList steps("runtime", host.name);
  std::vector<std::string> restart_on;
  TRY(add_releases(site, host, steps, restart_on));
  TRY_ASSIGN(const ReleaseVersion containerd, containerd_version(site.contents, site.of(host)));
  TRY_ASSIGN(const std::string sandbox, sandbox_image(site.contents));
  TRY_ASSIGN(std::string config, render_containerd(containerd, sandbox));
  TRY_ASSIGN(std::string hosts, render_registry_hosts({site.mirror.registry_url()}, kCaFile));
  TRY_ASSIGN(std::string crictl, render_crictl());
  steps.add("ca", WriteFile{kCaFile, site.mirror.ca_pem});
  steps.add("mirror", WriteFile{"/etc/containerd/certs.d/_default/hosts.toml", std::move(hosts)});
  restart_on.push_back(
      steps.add("containerd-config", WriteFile{"/etc/containerd/config.toml", std::move(config)}));
  steps.add("crictl-config", WriteFile{"/etc/crictl.yaml", std::move(crictl)});
  steps.add("containerd-service", SystemdUnit{.unit = "containerd.service", .restart_on = restart_on},
            "journalctl -u containerd on the host");
  TRY(add_kubelet(steps, site.kubernetes));
  return Task{.id = "runtime/" + host.name, .phase = "runtime", .host = host.name, .steps = steps.take()};
}

Step pull_step(const Site& site, const Host& host, const std::string& image) {
  StepList steps("runtime", host.name);
  steps.add(
      "pull-" + image.substr(image.rfind('/') + 1),
      Run{.arguments = {"crictl", "pull", image},
          .check = {"crictl", "inspecti", image},
          .retry_for = std::chrono::seconds(15)},
      "the host cannot pull from " + site.mirror.registry_url() +
          ": look at journalctl -u containerd there and at journalctl -u sealift-mirror on the deploy host");
  return steps.take().front();
}

/// Pulls what Kubernetes will run before it needs it. The sandbox image alone comes first: it proves runtime
/// and mirror of every node before the cluster is begun.
Status add_images(const Site& site, const Host& host, Plan& plan) {
  TRY_ASSIGN(const std::vector<std::string> images, images_for(site.contents, host));
  Task sandbox{.id = "runtime/" + host.name + "/sandbox",
               .phase = "runtime",
               .host = host.name,
               .lane = "images",
               .after = {"runtime/" + host.name, "runtime/" + host.name + "/programs"}};
  Task others{.id = "runtime/" + host.name + "/images",
              .phase = "runtime",
              .host = host.name,
              .lane = "images",
              .after = {sandbox.id}};
  // The leader first, as everything waits for it; the others' images come while it starts.
  if (host.name != site.membership.leader)
    others.after.push_back("runtime/" + site.membership.leader + "/images");
  for (const std::string& image : images)
    (sandbox.steps.empty() ? sandbox : others).steps.push_back(pull_step(site, host, image));
  plan.tasks.push_back(std::move(sandbox));
  plan.tasks.push_back(std::move(others));
  return {};
}

}  // namespace

Status add_runtime(const Site& site, Plan& plan) {
  for (const Host* host : site.cluster.nodes()) {
    TRY_ASSIGN(Task programs, programs_task(site, *host));
    TRY_ASSIGN(Task runtime, runtime_task(site, *host));
    plan.tasks.push_back(std::move(programs));
    plan.tasks.push_back(std::move(runtime));
    TRY(add_images(site, *host, plan));
  }
  return {};
}

}  // namespace sealift::installer
