#include "tests/integration/apt/upstream_fixture.hpp"

#include <cstdlib>

namespace sealift::test {
namespace {

CachingDownload& shared_download() {
  static CachingDownload download;
  return download;
}

fs::path cache_directory() {
  if (const char* cache = std::getenv("SEALIFT_CACHE"); cache != nullptr && *cache != 0) return cache;
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg != 0)
    return fs::path(xdg) / "sealift";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/root" : home) / ".cache/sealift";
}

/// A .deb out of the cache, or fetched and checked into it.
Result<std::string> cached_deb(const bundle::LockedBlob& blob) {
  const fs::path path = cache_directory() / "debs" / blob.digest.hex();
  if (auto content = read_file(path, blob.size); content && digest_of(*content) == blob.digest)
    return content;
  TRY_ASSIGN(std::string content, download_with_curl(blob.origin.url, blob.size));
  if (content.size() != blob.size || digest_of(content) != blob.digest) {
    return fail(ErrorCode::integrity, "{} is not what was locked", blob.origin.url);
  }
  TRY(sealift::create_directories(path.parent_path()));
  TRY(write_file_atomically(path, content));
  return content;
}

}  // namespace

Result<std::string> CachingDownload::operator()(const std::string& url, std::uint64_t limit_bytes) {
  if (const auto found = documents_.find(url); found != documents_.end()) return found->second;
  // What is asked for by its digest never changes: kept on disk between the programs of one test run.
  const bool lasting = url.find("/by-hash/") != std::string::npos && !url.starts_with("file:");
  const fs::path kept = cache_directory() / "indexes" / digest_of(url).hex();
  if (lasting) {
    if (auto content = read_file(kept, limit_bytes))
      return documents_.emplace(url, std::move(*content)).first->second;
  }
  TRY_ASSIGN(std::string content, download_with_curl(url, limit_bytes));
  if (lasting) {
    TRY(sealift::create_directories(kept.parent_path()));
    TRY(write_file_atomically(kept, content));
  }
  return documents_.emplace(url, std::move(content)).first->second;
}

std::string machine_architecture() {
  Command command;
  command.arguments = {"dpkg", "--print-architecture"};
  auto output = run_checked(command);
  if (!output) return "amd64";
  while (output->out.ends_with('\n')) output->out.pop_back();
  return output->out;
}

Result<MinimalSystem> minimal_system(const std::vector<bundle::RepositorySpec>& repositories) {
  const std::string architecture = machine_architecture();
  const std::string suite = repositories.front().suites.front();
  MinimalSystem system;
  system.tar = cache_directory() / fmt::format("minimal-{}-{}.tar", suite, architecture);
  const fs::path status = cache_directory() / fmt::format("minimal-{}-{}.status", suite, architecture);
  std::error_code error;
  if (!fs::exists(system.tar, error) || !fs::exists(status, error)) {
    TRY(sealift::create_directories(system.tar.parent_path()));
    const fs::path partial = fmt::format("{}.{}.tar", system.tar.string(), ::getpid());
    Command make;
    // Only the first suite, without updates: its packages are older than the locked ones, as on a machine of
    // some age.
    make.arguments = {"mmdebstrap",
                      "--quiet",
                      "--variant=minbase",
                      "--architectures=" + architecture,
                      suite,
                      partial.string(),
                      fmt::format("deb [signed-by={}] {} {} main", repositories.front().keyring,
                                  repositories.front().url, suite)};
    make.deadline = std::chrono::minutes(15);
    TRY(run_checked(make));
    Command extract;
    extract.arguments = {"tar",    "--extract",      "--to-stdout",
                         "--file", partial.string(), "./var/lib/dpkg/status"};
    TRY_ASSIGN(const auto output, run_checked(extract));
    TRY(write_file_atomically(status, output.out));
    fs::rename(partial, system.tar, error);
    if (error) return fail(ErrorCode::io, "cannot rename {}: {}", partial.string(), error.message());
  }
  TRY_ASSIGN(system.status, read_file(status, 64U << 20));
  return system;
}

std::map<std::string, std::string> versions_of(const bundle::LockedPackageSet& set) {
  std::map<std::string, std::string> versions;
  for (const auto& package : set.packages) versions.emplace(package.name, package.version);
  return versions;
}

std::map<Digest, bundle::LockedBlob> blobs_of(const builder::ResolvedPackageSet& resolved) {
  std::map<Digest, bundle::LockedBlob> blobs;
  for (const auto& blob : resolved.blobs) blobs.emplace(blob.digest, blob);
  return blobs;
}

void UpstreamTest::SetUp() {
  repositories_ = machine_repositories();
  static const std::string kUnreachable = why_unreachable(repositories_);
  if (!kUnreachable.empty()) GTEST_SKIP() << kUnreachable;
  auto directory = TemporaryDirectory::create("package-set");
  ASSERT_TRUE(directory) << directory.error().message();
  directory_.emplace(std::move(*directory));
}

bundle::PackageSetSpec UpstreamTest::spec(std::string baseline, std::vector<std::string> install) const {
  bundle::PackageSetSpec set;
  set.target = "debian";
  set.baseline = std::move(baseline);
  set.architectures = {machine_architecture()};
  set.repositories = repositories_;
  set.install = std::move(install);
  return set;
}

builder::PackageSetContext UpstreamTest::context() {
  return {[](const std::string& url, std::uint64_t limit) { return shared_download()(url, limit); },
          log_,
          directory_->path(),
          {directory_->path()},
          {},
          now};
}

std::string UpstreamTest::file(const std::string& name, const std::string& content) {
  const fs::path path = directory_->path() / name;
  EXPECT_TRUE(write_file_atomically(path, content));
  return path.string();
}

Status write_repository(const builder::ResolvedPackageSet& resolved, const openpgp::SecretKey& key,
                        Timestamp time, const fs::path& root) {
  const auto blobs = blobs_of(resolved);
  TRY_ASSIGN(auto files, builder::generate_repository(resolved.set, blobs, time, key));
  for (auto& file : builder::repository_key_files(key)) files.push_back(std::move(file));
  for (const auto& package : resolved.set.packages) {
    TRY_ASSIGN(std::string deb, cached_deb(blobs.at(package.digest)));
    files.push_back({fmt::format("apt/{}/{}", resolved.set.target, package.filename), std::move(deb), ""});
  }
  for (const auto& file : files) {
    TRY(sealift::create_directories((root / file.path).parent_path()));
    TRY(write_file_atomically(root / file.path, file.content));
  }
  return {};
}

}  // namespace sealift::test
