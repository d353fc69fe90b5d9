/// check, apply and undo of every kind of step. check changes nothing; apply is called when check was not
/// satisfied; undo brings back what the journal knows and is called only for steps the journal has.
#pragma once

#include "installer/host/execute.hpp"
#include "installer/host/step.hpp"

namespace sealift::installer {

#define SEALIFT_STEP_KIND(Kind)                                             \
  Result<CheckOutcome> check(const StepContext& context, const Kind& wish); \
  Result<ApplyOutcome> apply(const StepContext& context, const Kind& wish); \
  Status undo(const StepContext& context, const Kind& wish)

SEALIFT_STEP_KIND(WriteFile);
SEALIFT_STEP_KIND(FetchFile);
SEALIFT_STEP_KIND(UnpackArchive);
SEALIFT_STEP_KIND(RemovePath);
SEALIFT_STEP_KIND(MakeDirectory);
SEALIFT_STEP_KIND(Symlink);
SEALIFT_STEP_KIND(FileBlock);
SEALIFT_STEP_KIND(KernelModules);
SEALIFT_STEP_KIND(Sysctl);
SEALIFT_STEP_KIND(SwapOff);
SEALIFT_STEP_KIND(SetHostname);
SEALIFT_STEP_KIND(InstallPackages);
SEALIFT_STEP_KIND(SystemdUnit);
SEALIFT_STEP_KIND(Run);
SEALIFT_STEP_KIND(Capture);
SEALIFT_STEP_KIND(ReadFile);
SEALIFT_STEP_KIND(WaitFor);
#undef SEALIFT_STEP_KIND

/// Pieces shared by several kinds.

/// Replaces the file at `path` (parents are made): original kept in the journal first, content synced before
/// it shows.
Status put_file(const StepContext& context, const std::string& path, std::string_view content, unsigned mode);
/// Does a regular file at `path` have exactly this content and mode? The text says what differs.
CheckOutcome compare_file(const StepContext& context, const std::string& path, std::string_view content,
                          unsigned mode);
/// Makes the parents of `path` (0755).
Status make_parents(const StepContext& context, const std::string& path);
/// sha256 of the file, or nullopt when it cannot be read.
std::optional<Digest> digest_of_file(const std::string& path);

/// Downloads into `target_path`, trying each URL, and all of them again after a moment when a connection
/// failed; size and digest are checked. Ends early when the context stops.
Status download(const StepContext& context, const Download& from, const std::string& what,
                const std::string& target_path);

}  // namespace sealift::installer
