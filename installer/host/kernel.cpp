#include "installer/host/kernel.hpp"

#include <sstream>

#include <sys/utsname.h>

#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

constexpr std::uint64_t kMaxFile = 16U << 20;

/// The kernel takes '-' and '_' in module names as the same.
std::string folded(std::string_view name) {
  std::string result(name);
  for (char& c : result) c = c == '-' ? '_' : c;
  return result;
}

/// Is there a line in modules.builtin or modules.dep whose file is <module>.ko[.xz…]?
bool lists_module(const std::string& path, const std::string& module) {
  const auto text = read_file(path, kMaxFile);
  if (!text) return false;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find(':'));
    const std::string file = line.substr(line.rfind('/') + 1);
    if (folded(file.substr(0, file.find('.'))) == module) return true;
  }
  return false;
}

}  // namespace

std::string module_state(const std::string& root, std::string_view name) {
  const std::string module = folded(name);
  // A module built in shows in /sys/module only when it has parameters; one that is loaded also shows in
  // /proc/modules.
  if (const auto text = read_file(root + "/proc/modules", kMaxFile); text) {
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      if (folded(line.substr(0, line.find(' '))) == module) return "loaded";
    }
  }
  std::error_code ignored;
  if (fs::exists(fmt::format("{}/sys/module/{}", root, module), ignored)) return "builtin";
  struct utsname names {};
  if (::uname(&names) != 0) return "missing";
  for (const char* lib : {"/lib", "/usr/lib"}) {
    const std::string directory = fmt::format("{}{}/modules/{}", root, lib, names.release);
    if (lists_module(directory + "/modules.builtin", module)) return "builtin";
    if (lists_module(directory + "/modules.dep", module)) return "available";
  }
  return "missing";
}

std::string kernel_config(const std::string& root, const std::string& release) {
  for (std::string path :
       {std::string("/proc/config.gz"), "/boot/config-" + release, "/usr/src/linux-" + release + "/.config",
        std::string("/usr/src/linux/.config"), "/usr/lib/modules/" + release + "/config",
        "/usr/lib/ostree-boot/config-" + release, "/usr/lib/kernel/config-" + release,
        "/usr/src/linux-headers-" + release + "/.config", "/lib/modules/" + release + "/build/.config"}) {
    std::error_code ignored;
    if (fs::exists(root + path, ignored)) return path;
  }
  return module_state(root, "configs") == "missing" ? "" : "the module configs";
}

std::vector<SwapFact> active_swaps(const std::string& root) {
  std::vector<SwapFact> swaps;
  const auto text = read_file(root + "/proc/swaps", kMaxFile);
  if (!text) return swaps;
  std::istringstream lines(*text);
  std::string line;
  std::getline(lines, line);  // the heading
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    SwapFact swap;
    std::string type;
    std::uint64_t kib = 0;
    if (words >> swap.name >> type >> kib) {
      swap.size_bytes = kib * 1024;
      swaps.push_back(swap);
    }
  }
  return swaps;
}

bool is_fstab_swap(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string device;
  std::string where;
  std::string type;
  return words >> device >> where >> type && device.front() != '#' && type == "swap";
}

std::vector<std::string> fstab_swaps(const std::string& root) {
  std::vector<std::string> result;
  const auto text = read_file(root + "/etc/fstab", kMaxFile);
  if (!text) return result;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (is_fstab_swap(line)) result.push_back(line);
  }
  return result;
}

}  // namespace sealift::installer
