/// The static program that travels inside the bundle.
#pragma once

#include <string>
#include <vector>

#include "lib/base/files.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/plan.hpp"

namespace sealift::builder {

/// Reads a static program and checks that it is one: a 64-bit ELF for amd64 or arm64 without an interpreter.
/// ErrorCode::invalid_argument otherwise. At most 256 MiB.
Result<bundle::ProgramFile> read_program(const fs::path& path);

/// Where the static program lies when none is named: beside the running program as `sealift-static`, or in
/// the build tree.
Result<fs::path> find_program();

}  // namespace sealift::builder
