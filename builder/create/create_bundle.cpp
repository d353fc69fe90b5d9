#include "builder/create/create_bundle.hpp"

#include "builder/assemble/assemble.hpp"
#include "builder/assemble/program.hpp"
#include "builder/assemble/sbom.hpp"
#include "builder/packages/package_set.hpp"
#include "builder/resolve/public_url.hpp"
#include "lib/bundle/reader.hpp"
#include "lib/bundle/sign.hpp"
#include "lib/bundle/signatures.hpp"
#include "lib/bundle/writer.hpp"

namespace sealift::builder {

namespace {

void take(std::vector<RepositoryFile> from, std::vector<bundle::GeneratedFile>& to) {
  for (RepositoryFile& file : from)
    to.push_back({std::move(file.path), std::move(file.media_type), std::move(file.content)});
}

Result<std::vector<bundle::GeneratedFile>> generate_files(const CreateInputs& inputs) {
  std::vector<bundle::GeneratedFile> files;
  files.push_back({kSbomPath, "application/spdx+json", write_sbom(inputs.lock)});
  if (inputs.lock.package_sets.empty()) return files;
  if (inputs.repository_key == nullptr) {
    return fail(ErrorCode::invalid_argument,
                "the lock has packages, so the repository must be signed: give --repository-key FILE (made "
                "by sealift keygen)");
  }
  for (const bundle::LockedPackageSet& set : inputs.lock.package_sets) {
    TRY_ASSIGN(auto repository,
               generate_repository(set, inputs.lock.blobs, inputs.lock.time, *inputs.repository_key));
    take(std::move(repository), files);
  }
  take(repository_key_files(*inputs.repository_key), files);
  return files;
}

/// The file at `output` when that is already the bundle this plan describes; else null.
std::shared_ptr<const bundle::BundleFile> finished_bundle(const fs::path& output, const bundle::Plan& plan) {
  auto file = bundle::BundleFile::open(output);
  if (!file || (*file)->root_digest() != digest_of(plan.contents_text)) return nullptr;
  return std::move(*file);
}

/// What is left to do on a bundle that an earlier run finished: its remains, and signatures it lacks.
Status complete(const bundle::BundleFile& file, const CreateInputs& inputs, Log& log) {
  TRY(bundle::BundleWriter::remove_remains_of(file.path()));
  TRY_ASSIGN(const bundle::SlotState slot, bundle::sign_in_place(file, inputs.signers));
  if (!slot.changed) {
    log.info("{} is complete already", file.path().string());
    return {};
  }
  log.info("{} was complete already; signatures were added, it has {} now", file.path().string(),
           slot.signatures);
  return {};
}

Result<std::string> sign_plan(const CreateInputs& inputs, const bundle::Plan& plan) {
  std::vector<bundle::SignatureLine> lines;
  for (const PrivateKey& key : inputs.signers) TRY(bundle::add_signature(lines, key, plan.contents_text));
  return bundle::write_signatures(lines);
}

}  // namespace

Result<bundle::Plan> plan_from_lock(const CreateInputs& inputs) {
  TRY(check_public_urls(inputs.lock));
  TRY_ASSIGN(auto generated, generate_files(inputs));
  std::vector<bundle::ProgramFile> programs;
  for (const fs::path& path : inputs.programs) {
    TRY_ASSIGN(bundle::ProgramFile program, read_program(path));
    programs.push_back(std::move(program));
  }
  return bundle::plan_bundle(inputs.lock, std::move(generated), std::move(programs));
}

Status create_bundle(const CreateInputs& inputs, const bundle::Plan& plan, const fs::path& output,
                     Fetcher& fetcher, unsigned jobs, Progress& progress, Log& log) {
  if (const auto finished = finished_bundle(output, plan)) return complete(*finished, inputs, log);
  TRY_ASSIGN(auto writer, bundle::BundleWriter::open(output, plan));
  if (writer->resumed()) {
    log.info("continuing an interrupted run: {} of {} are there", format_bytes(writer->present_bytes()),
             format_bytes(plan.wanted_bytes));
  }
  const FetchBlob fetch = [&fetcher](const bundle::LockedBlob& blob, std::uint64_t offset, Sink& sink) {
    return fetcher.fetch_blob(blob, offset, sink);
  };
  if (Status assembled = assemble(*writer, plan, fetch, jobs, progress, log); !assembled) {
    log.warning("what has arrived is kept in {}.partial: the same command continues there", output.string());
    return assembled;
  }
  TRY_ASSIGN(const std::string slot, sign_plan(inputs, plan));
  return writer->seal(slot);
}

}  // namespace sealift::builder
