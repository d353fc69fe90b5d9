/// Lock → signed bundle: generate, plan, fetch and assemble, seal; one function a stage.
#pragma once

#include <string>
#include <vector>

#include "builder/fetch/fetcher.hpp"
#include "lib/base/files.hpp"
#include "lib/base/log.hpp"
#include "lib/base/progress.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/lock.hpp"
#include "lib/bundle/plan.hpp"
#include "lib/crypto/ed25519.hpp"
#include "lib/crypto/openpgp.hpp"

namespace sealift::builder {

struct CreateInputs {
  const bundle::Lock& lock;
  const std::vector<PrivateKey>& signers;              ///< at least one
  const openpgp::SecretKey* repository_key = nullptr;  ///< needed when the lock has packages
  std::vector<fs::path> programs;                      ///< static programs to carry
};

/// Everything that can be known before fetching: repository metadata, SBOM, offsets, exact size.
Result<bundle::Plan> plan_from_lock(const CreateInputs& inputs);

/// Fetches and writes the bundle at `output`. A finished file of exactly this content keeps its
/// bytes; signatures of `signers` that it lacks are added.
Status create_bundle(const CreateInputs& inputs, const bundle::Plan& plan, const fs::path& output,
                     Fetcher& fetcher, unsigned jobs, Progress& progress, Log& log);

}  // namespace sealift::builder
