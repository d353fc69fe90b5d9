#include <algorithm>
#include <array>
#include <set>

#include <fcntl.h>

#include "builder/resolve/lock_file.hpp"
#include "builder/resolve/resolve.hpp"
#include "lib/base/process.hpp"
#include "lib/crypto/digest.hpp"
#include "lib/oci/platform.hpp"
#include "lib/oci/reference.hpp"

namespace sealift::builder {

namespace {

constexpr std::array<std::string_view, 3> kPrograms = {"kubeadm", "kubelet", "kubectl"};
constexpr std::chrono::seconds kListDeadline{60};

WantedFile wanted_program(std::string_view program, const std::string& version, const oci::Platform& platform,
                          const std::string& platform_name) {
  WantedFile file;
  file.url = fmt::format("https://dl.k8s.io/release/{}/bin/{}/{}/{}", version, platform.os,
                         platform.architecture, program);
  file.checksums = file.url + ".sha256";
  file.path = fmt::format("bin/{}/{}", platform_name, program);
  file.role = std::string(program);
  file.platform = platform_name;
  file.mode = 0755;
  return file;
}

/// Downloads the program to `path`, checked against its digest.
Status save_program(const bundle::LockedBlob& blob, const fs::path& path, Fetcher& fetcher) {
  TRY_ASSIGN(const FileDescriptor file, open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0700));
  FileSink sink(file, 0);
  VerifyingSink checked(sink, blob.digest, blob.size, blob.origin.url);
  TRY(fetcher.fetch_blob(blob, 0, checked));
  return checked.finish();
}

Result<std::vector<std::string>> parse_image_list(const std::string& text, bool dns) {
  std::set<std::string> names;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    TRY_ASSIGN(const oci::Reference image, within(oci::Reference::parse(line), "the image list of kubeadm"));
    const std::string& repository = image.repository();
    const bool is_dns = repository.substr(repository.rfind('/') + 1) == "coredns";
    if (dns || !is_dns) names.insert(image.str());
  }
  if (names.empty()) return fail(ErrorCode::integrity, "kubeadm listed no images");
  return std::vector<std::string>(names.begin(), names.end());
}

/// Asks the very kubeadm of this version what it will pull. It gets no environment of ours: no proxies, no
/// kubeconfig.
Result<std::vector<std::string>> list_images(const bundle::LockedBlob& kubeadm, const std::string& version,
                                             bool dns, Fetcher& fetcher) {
  TRY_ASSIGN(const TemporaryDirectory directory, TemporaryDirectory::create("sealift-kubeadm-"));
  const fs::path program = directory.path() / "kubeadm";
  TRY(save_program(kubeadm, program, fetcher));
  Command command;
  command.arguments = {"env",
                       "-i",
                       "HOME=" + directory.path().string(),
                       "PATH=/usr/bin:/bin",
                       program.string(),
                       "config",
                       "images",
                       "list",
                       "--kubernetes-version",
                       version};
  command.deadline = kListDeadline;
  TRY_ASSIGN(const CommandOutput output, within(run_checked(command), "kubeadm config images list"));
  return parse_image_list(output.out, dns);
}

}  // namespace

Result<ResolvedKubernetes> resolve_kubernetes(const bundle::KubernetesSpec& spec,
                                              const ResolveContext& context) {
  ResolvedKubernetes result;
  result.version = "v" + spec.version;
  std::vector<WantedFile> wanted;
  for (const std::string& text : context.platforms) {
    TRY_ASSIGN(const oci::Platform platform, oci::Platform::parse(text));
    for (const std::string_view program : kPrograms)
      wanted.push_back(wanted_program(program, result.version, platform, text));
  }
  TRY_ASSIGN(result.files, within(lock_files(wanted, context), "kubernetes"));

  // The list is the same for every architecture; only ours can be run here, bundled or not.
  ResolveContext to_run = context;
  to_run.compress_files = false;
  TRY_ASSIGN(const ResolvedFiles own,
             within(lock_files({wanted_program("kubeadm", result.version, oci::own_platform(),
                                               oci::own_platform().str())},
                               to_run),
                    "kubernetes"));
  TRY_ASSIGN(result.images,
             list_images(own.blobs.begin()->second, result.version, spec.dns, context.fetcher));
  return result;
}

}  // namespace sealift::builder
