/// Small readings of /proc, /sys and /etc that both the facts and the steps need. `root` is put before every
/// path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "installer/host/facts.hpp"

namespace sealift::installer {

/// "loaded", "builtin", "available" (modprobe could load it) or "missing".
std::string module_state(const std::string& root, std::string_view module);

/// Where kubeadm finds the configuration of kernel `release`, which it insists on reading
/// (kubernetes/system-validators, kernel_validator.go): a path, "the module configs", or empty.
std::string kernel_config(const std::string& root, const std::string& release);

std::vector<SwapFact> active_swaps(const std::string& root);

/// Does this line of fstab switch swap on?
bool is_fstab_swap(std::string_view line);
/// The swap lines of /etc/fstab that are in force.
std::vector<std::string> fstab_swaps(const std::string& root);

}  // namespace sealift::installer
