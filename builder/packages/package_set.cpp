#include "builder/packages/package_set.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "builder/packages/baseline.hpp"
#include "builder/packages/suite_reader.hpp"
#include "lib/base/json.hpp"
#include "lib/base/progress.hpp"
#include "lib/pkgrepo/apt/candidates.hpp"
#include "lib/pkgrepo/apt/repository.hpp"
#include "lib/pkgrepo/solver/apt_closure.hpp"

namespace sealift::builder {
namespace {

namespace apt = pkgrepo::apt;
namespace solver = pkgrepo::solver;

constexpr std::string_view kDebMediaType = "application/vnd.debian.binary-package";

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kArchitectures{{
    {"linux/amd64", "amd64"},
    {"linux/arm64", "arm64"},
    {"linux/arm64/v8", "arm64"},
    {"linux/arm/v7", "armhf"},
    {"linux/arm", "armhf"},
    {"linux/386", "i386"},
    {"linux/ppc64le", "ppc64el"},
    {"linux/s390x", "s390x"},
    {"linux/riscv64", "riscv64"},
}};

Result<std::vector<VerifiedSuite>> read_suites(const bundle::PackageSetSpec& spec,
                                               const PackageSetContext& context) {
  std::vector<VerifiedSuite> suites;
  for (const bundle::RepositorySpec& repository : spec.repositories) {
    if (repository.keyring.empty()) {
      return fail(ErrorCode::invalid_argument,
                  "repository {} names no keyring: the keys that may sign it must be given", repository.url);
    }
    TRY_ASSIGN(const auto keyring, openpgp::Keyring::from_file(context.spec_directory / repository.keyring));
    for (const std::string& suite : repository.suites) {
      TRY_ASSIGN(auto verified, read_suite(repository, suite, keyring, context));
      context.log.debug("{}: good signature, {}", verified.release_url, verified.evidence);
      suites.push_back(std::move(verified));
    }
  }
  return suites;
}

/// A Filename as it stands in a URL; what could be mistaken in one was refused when the index was read.
std::string url_of(const std::string& repository_url, std::string_view filename) {
  std::string url = repository_url + "/";
  for (const char c : filename) {
    if (c > ' ' && c < 0x7f && c != '%') {
      url += c;
    } else {
      url += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return url;
}

/// Collects what the architectures of a set have in common only once.
class SetBuilder {
 public:
  explicit SetBuilder(ResolvedPackageSet& resolved) : resolved_(resolved) {}

  Status add(const apt::Package& package, const LoadedIndex& index) {
    if (package.sha256.empty()) {
      return fail(ErrorCode::untrusted, "{} {}: its index gives no SHA256", package.name, package.version);
    }
    TRY_ASSIGN(const Digest digest, Digest::from_hex(DigestAlgorithm::sha256, package.sha256));
    const std::string path =
        apt::pool_path(package.source, package.name, package.version, package.architecture, package.filename);
    if (const auto [held, fresh] = paths_.emplace(path, digest); !fresh) {
      if (held->second == digest) return {};
      return fail(ErrorCode::conflict, "two packages would be {}: {} and {}", path, held->second.str(),
                  digest.str());
    }
    bundle::LockedPackage locked{std::string(package.name),
                                 std::string(package.version),
                                 std::string(package.architecture),
                                 path,
                                 digest,
                                 {}};
    TRY_ASSIGN(locked.control, apt::portable_control(package.stanza, locked.name));
    if (!json::can_hold(locked.control)) {
      return fail(
          ErrorCode::invalid_argument,
          "{} {}: its entry in the package index of {} is not UTF-8; the lock, which is JSON, cannot hold it",
          locked.name, locked.version, index.repository_url);
    }
    resolved_.set.packages.push_back(std::move(locked));
    if (!digests_.emplace(digest).second) return {};
    bundle::LockedBlob blob{digest, package.size, std::string(kDebMediaType), {}};
    blob.origin.kind = bundle::OriginKind::url;
    blob.origin.url = url_of(index.repository_url, package.filename);
    blob.origin.evidence = {index.evidence};
    resolved_.blobs.push_back(std::move(blob));
    return {};
  }

  void finish() {
    std::sort(resolved_.set.packages.begin(), resolved_.set.packages.end(), [](const auto& a, const auto& b) {
      return std::tie(a.name, a.architecture, a.version) < std::tie(b.name, b.architecture, b.version);
    });
    std::sort(resolved_.blobs.begin(), resolved_.blobs.end(),
              [](const auto& a, const auto& b) { return a.digest < b.digest; });
  }

 private:
  ResolvedPackageSet& resolved_;
  std::map<std::string, Digest> paths_;
  std::set<Digest> digests_;
};

struct Selection {
  std::vector<apt::Candidate> candidates;
  std::vector<const apt::Package*> packages;
};

Selection select(const std::vector<LoadedIndex>& indexes, const std::string& architecture) {
  std::vector<apt::RankedIndex> ranked;
  for (const LoadedIndex& loaded : indexes) ranked.push_back({&loaded.index, loaded.priority});
  Selection selection;
  selection.candidates = apt::select_candidates(ranked, architecture);
  for (const apt::Candidate& candidate : selection.candidates)
    selection.packages.push_back(candidate.package);
  return selection;
}

void report(const solver::Closure& closure, const std::string& architecture,
            const bundle::PackageSetSpec& spec, Log& log) {
  std::uint64_t bytes = 0;
  for (const apt::Package* package : closure.packages) bytes += package->size;
  log.info("{} {}: {} packages, {}", spec.target, architecture, closure.packages.size(), format_bytes(bytes));
  if (closure.removed.empty()) return;
  log.warning("{} {}: installing this removes from the baseline, as apt would: {}", spec.target, architecture,
              fmt::join(closure.removed, ", "));
}

Status resolve_architecture(const bundle::PackageSetSpec& spec, const std::string& architecture,
                            const std::vector<VerifiedSuite>& suites, const Baseline& baseline,
                            const PackageSetContext& context, SetBuilder& builder) {
  std::vector<LoadedIndex> indexes;
  for (const VerifiedSuite& suite : suites) {
    TRY_ASSIGN(auto more, read_indexes(suite, architecture, context));
    std::move(more.begin(), more.end(), std::back_inserter(indexes));
  }
  const Selection selection = select(indexes, architecture);
  solver::ClosureRequest request;
  request.architecture = architecture;
  request.candidates = selection.packages;
  TRY_ASSIGN(request.installed, installed_packages(baseline, architecture, selection.packages, context.log));
  request.installed_versions = baseline.kind == BaselineKind::named ? solver::InstalledVersions::at_most
                                                                    : solver::InstalledVersions::exact;
  request.install = spec.install;
  request.recommends = spec.recommends ? solver::Recommends::install : solver::Recommends::ignore;
  TRY_ASSIGN(const auto closure, solver::solve_closure(request));
  report(closure, architecture, spec, context.log);
  for (const apt::Package* package : closure.packages) {
    const auto candidate = std::find_if(selection.candidates.begin(), selection.candidates.end(),
                                        [package](const apt::Candidate& c) { return c.package == package; });
    if (candidate == selection.candidates.end()) {
      return fail(ErrorCode::internal, "{} is in the closure but in no repository", package->name);
    }
    TRY(builder.add(*package, indexes[candidate->index]));
  }
  return {};
}

}  // namespace

Result<std::string> debian_architecture(const std::string& platform) {
  for (const auto& [name, architecture] : kArchitectures) {
    if (name == platform) return std::string(architecture);
  }
  return fail(ErrorCode::unsupported,
              "Debian has no architecture for platform '{}'; name it in `architectures`", platform);
}

Result<ResolvedPackageSet> resolve_package_set(const bundle::PackageSetSpec& spec,
                                               const PackageSetContext& context) {
  ResolvedPackageSet resolved;
  resolved.set.target = spec.target;
  resolved.set.baseline = spec.baseline;
  resolved.set.architectures = spec.architectures.empty() ? context.architectures : spec.architectures;
  resolved.set.install = spec.install;
  auto& architectures = resolved.set.architectures;
  std::sort(architectures.begin(), architectures.end());
  architectures.erase(std::unique(architectures.begin(), architectures.end()), architectures.end());
  const std::string doing = fmt::format("package set {}", spec.target);
  if (architectures.empty()) return fail(ErrorCode::invalid_argument, "{} has no architecture", doing);

  TRY_ASSIGN(const Baseline baseline, within(read_baseline(spec.baseline, context), doing));
  TRY_ASSIGN(const auto suites, within(read_suites(spec, context), doing));
  SetBuilder builder(resolved);
  for (const std::string& architecture : architectures) {
    TRY(within(resolve_architecture(spec, architecture, suites, baseline, context, builder), doing));
  }
  builder.finish();
  return resolved;
}

}  // namespace sealift::builder
