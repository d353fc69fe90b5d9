/// Which tasks of a plan wait for which.
#pragma once

#include <cstddef>
#include <vector>

#include "installer/apply/plan.hpp"

namespace sealift::installer {

/// For each task the indices of those that must be done before it: Task::after, and the one before it in its
/// host's lane.
Result<std::vector<std::vector<std::size_t>>> task_dependencies(const Plan& plan);

}  // namespace sealift::installer
