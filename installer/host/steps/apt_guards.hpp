/// What keeps a package transaction from meeting others and from starting services.
#pragma once

#include "installer/host/execute.hpp"

namespace sealift::installer {

/// Our own source list, caches and key; the machine's are not touched.
inline constexpr const char* kAptDirectory = "/var/lib/sealift/apt";

/// Is our policy program in place (also: left over from an interrupted transaction)?
bool policy_is_ours();

/// Debian's way to say "do not start services": a policy program that answers 101. It is there only during
/// the transaction; one of the administrator's own is put aside and comes back.
class NoServiceStarts {
 public:
  static Status begin();
  static Status end();
};

/// The transaction of a run whose agent was killed goes on without it; the machine's own updates may be under
/// way as well. Waits at most ten minutes for their locks.
Status wait_for_package_managers(const StepContext& context);

}  // namespace sealift::installer
