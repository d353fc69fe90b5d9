// Kernel modules, kernel settings, swap and host name.
#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "installer/host/child.hpp"
#include "installer/host/kernel.hpp"
#include "installer/host/steps/kinds.hpp"
#include "lib/base/ascii.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

constexpr std::uint64_t kMaxSmallFile = 1U << 20;
constexpr std::string_view kHeader = "# Written by sealift; changes here are replaced.\n";
constexpr std::string_view kSwapMark = "# sealift swap off: ";

std::string modules_file(const KernelModules& wish) {
  return fmt::format("{}{}\n", kHeader, fmt::join(wish.modules, "\n"));
}

std::string sysctl_file(const Sysctl& wish) {
  std::string text(kHeader);
  for (const auto& [name, value] : wish.values) text += fmt::format("{} = {}\n", name, value);
  return text;
}

/// "net.ipv4.conf.eth0/1.rp_filter": dots become slashes, slashes dots (sysctl.d(5)).
std::string sysctl_path(const std::string& root, const std::string& name) {
  std::string path = name;
  for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  return fmt::format("{}/proc/sys/{}", root, path);
}

/// Values may have several numbers; the kernel separates them by tabs.
std::string normal_spaces(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string result;
  for (std::string word; words >> word;) result += (result.empty() ? "" : " ") + word;
  return result;
}

Result<std::string> write_sysctl(const StepContext& context, const std::string& name,
                                 const std::string& value) {
  const std::string path = sysctl_path(context.root, name);
  const auto old = read_file(path, kMaxSmallFile);
  if (!old) {
    return fail(ErrorCode::precondition, "the kernel has no setting {} (is its module loaded?): {}", name,
                old.error().message());
  }
  if (normal_spaces(*old) == normal_spaces(value)) return normal_spaces(*old);
  TRY_ASSIGN(const FileDescriptor file, open_file(path, O_WRONLY));
  if (::write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return fail_errno(errno, fmt::format("the kernel refuses {} = {}", name, value));
  }
  TRY_ASSIGN(const std::string now, read_file(path, kMaxSmallFile));
  if (normal_spaces(now) != normal_spaces(value)) {
    return fail(ErrorCode::io, "{} was set to {} but reads {}", name, value, normal_spaces(now));
  }
  return normal_spaces(*old);
}

/// Comments every swap line; nullopt when there is none.
std::optional<std::string> fstab_without_swap(const std::string& text) {
  std::string result;
  bool changed = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool swap = is_fstab_swap(line);
    changed = changed || swap;
    result += fmt::format("{}{}\n", swap ? kSwapMark : "", line);
  }
  if (!changed) return std::nullopt;
  return result;
}

/// First words of the lines that systemctl prints for these arguments.
std::vector<std::string> unit_names(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "systemctl");
  arguments.insert(arguments.end(), {"--plain", "--no-legend", "--full"});
  std::vector<std::string> names;
  const auto listed = run_child({.arguments = std::move(arguments)});
  if (!listed || listed->exit_code != 0) return names;
  std::istringstream lines(listed->out);
  for (std::string line; std::getline(lines, line);)
    if (const std::string name = line.substr(0, line.find(' ')); !name.empty()) names.push_back(name);
  return names;
}

/// What would bring swap at the next boot beside /etc/fstab: .swap units of their own or found by systemd on
/// the disk, and the services that make swap on zram. Masked ones do not count.
std::vector<std::string> swap_units() {
  std::vector<std::string> units = unit_names({"list-units", "--type=swap", "--state=active"});
  for (const auto& more : {unit_names({"list-unit-files", "--type=swap", "--state=enabled,static,generated"}),
                           unit_names({"list-unit-files", "--type=service", "--state=enabled",
                                       "zramswap.service", "zram-config.service"}),
                           unit_names({"list-units", "--state=active", "zramswap.service",
                                       "zram-config.service", "systemd-zram-setup@*.service"})})
    units.insert(units.end(), more.begin(), more.end());
  std::sort(units.begin(), units.end());
  units.erase(std::unique(units.begin(), units.end()), units.end());
  return units;
}

/// Units that an earlier run masked, for undo.
json::Array masked_before(const StepContext& context) {
  const auto record = context.journal.find(context.step_id);
  const json::Value* masked = record ? record->detail.if_contains("masked") : nullptr;
  return masked != nullptr && masked->is_array() ? masked->get_array() : json::Array{};
}

Status set_kernel_hostname(const std::string& name) {
  if (::sethostname(name.data(), name.size()) != 0) return fail_errno(errno, "cannot set the host name");
  return {};
}

}  // namespace

Result<CheckOutcome> check(const StepContext& context, const KernelModules& wish) {
  CheckOutcome file = compare_file(context, wish.file, modules_file(wish), 0644);
  if (!file.satisfied) return file;
  for (const std::string& module : wish.modules) {
    const std::string state = module_state(context.root, module);
    if (state != "loaded" && state != "builtin")
      return CheckOutcome{false, fmt::format("load the module {}", module), {}};
  }
  return CheckOutcome{true, "the modules are loaded", {}};
}
Result<ApplyOutcome> apply(const StepContext& context, const KernelModules& wish) {
  TRY(put_file(context, wish.file, modules_file(wish), 0644));
  for (const std::string& module : wish.modules) {
    const std::string state = module_state(context.root, module);
    if (state == "loaded" || state == "builtin") continue;
    TRY_ASSIGN(const ChildResult result, run_child({.arguments = {"modprobe", "--", module}}));
    if (result.exit_code != 0) {
      return fail(ErrorCode::precondition, "the kernel module {} cannot be loaded: {}", module,
                  last_words(result));
    }
  }
  return ApplyOutcome{fmt::format("load the kernel modules {}", fmt::join(wish.modules, ", ")), {}, {}};
}
/// Loaded modules stay: others may use them by now.
Status undo(const StepContext& context, const KernelModules& wish) {
  return context.journal.restore_original(wish.file);
}

Result<CheckOutcome> check(const StepContext& context, const Sysctl& wish) {
  CheckOutcome file = compare_file(context, wish.file, sysctl_file(wish), 0644);
  if (!file.satisfied) return file;
  for (const auto& [name, value] : wish.values) {
    const auto found = read_file(sysctl_path(context.root, name), kMaxSmallFile);
    const std::string now = found ? normal_spaces(*found) : "not there";
    if (now != normal_spaces(value))
      return CheckOutcome{false, fmt::format("set {} = {} (is {})", name, value, now), {}};
  }
  return CheckOutcome{true, "the kernel settings hold", {}};
}
Result<ApplyOutcome> apply(const StepContext& context, const Sysctl& wish) {
  TRY(put_file(context, wish.file, sysctl_file(wish), 0644));
  json::Object before;
  // What was there before our first change, not before this repetition.
  if (const auto record = context.journal.find(context.step_id); record) {
    if (const json::Value* kept = record->detail.if_contains("before");
        kept != nullptr && kept->is_object()) {
      before = kept->get_object();
    }
  }
  for (const auto& [name, value] : wish.values) {
    TRY_ASSIGN(const std::string old, write_sysctl(context, name, value));
    if (!before.contains(name)) before[name] = old;
  }
  return ApplyOutcome{
      fmt::format("set {} kernel settings ({})", wish.values.size(), wish.file), {{"before", before}}, {}};
}
Status undo(const StepContext& context, const Sysctl& wish) {
  TRY(context.journal.restore_original(wish.file));
  const auto record = context.journal.find(context.step_id);
  const json::Value* before = record ? record->detail.if_contains("before") : nullptr;
  if (before == nullptr || !before->is_object()) return {};
  for (const auto& item : before->get_object()) {
    if (item.value().is_string()) {
      TRY(write_sysctl(context, std::string(item.key()), std::string(item.value().get_string())));
    }
  }
  return {};
}

Result<CheckOutcome> check(const StepContext& context, const SwapOff&) {
  const auto swaps = active_swaps(context.root);
  if (!swaps.empty())
    return CheckOutcome{false, fmt::format("switch off the swap {}", swaps.front().name), {}};
  if (!fstab_swaps(context.root).empty()) return CheckOutcome{false, "take swap out of /etc/fstab", {}};
  if (context.root.empty())
    if (const auto units = swap_units(); !units.empty())
      return CheckOutcome{false, fmt::format("mask {}", fmt::join(units, ", ")), {}};
  return CheckOutcome{true, "no swap is used", {}};
}
Result<ApplyOutcome> apply(const StepContext& context, const SwapOff&) {
  const std::string fstab = context.at("/etc/fstab");
  if (const auto text = read_file(fstab, kMaxSmallFile); text) {
    if (const auto changed = fstab_without_swap(*text); changed)
      TRY(put_file(context, "/etc/fstab", *changed, 0644));
  }
  json::Array masked = masked_before(context);
  if (context.root.empty()) {
    // Units of the fstab lines are gone with them.
    TRY_ASSIGN(const ChildResult reloaded, run_child({.arguments = {"systemctl", "daemon-reload"}}));
    if (reloaded.exit_code != 0)
      return fail(ErrorCode::io, "systemctl daemon-reload failed: {}", last_words(reloaded));
    // Masked before it is switched off: who is killed in between finds swap still on, and begins again.
    for (const std::string& unit : swap_units()) {
      TRY_ASSIGN(const ChildResult result,
                 run_child({.arguments = {"systemctl", "mask", "--now", "--", unit}}));
      if (result.exit_code != 0) return fail(ErrorCode::io, "cannot mask {}: {}", unit, last_words(result));
      masked.emplace_back(unit);
    }
    TRY_ASSIGN(const ChildResult off, run_child({.arguments = {"swapoff", "-a"}}));
    if (off.exit_code != 0) {
      return fail(ErrorCode::io, "swap cannot be switched off (is there enough memory?): {}",
                  last_words(off));
    }
    if (const auto left = active_swaps(""); !left.empty()) {
      return fail(ErrorCode::io, "swap is still on after swapoff: {}", left.front().name);
    }
  }
  return ApplyOutcome{"switch swap off", {{"masked", std::move(masked)}}, {}};
}
/// Swap returns with the next boot, as fstab says; switching it on at once could harm what runs.
Status undo(const StepContext& context, const SwapOff&) {
  TRY(context.journal.restore_original("/etc/fstab"));
  for (const json::Value& unit : masked_before(context)) {
    if (!unit.is_string()) continue;
    TRY_ASSIGN(const ChildResult result,
               run_child({.arguments = {"systemctl", "unmask", "--", std::string(unit.get_string())}}));
    if (result.exit_code != 0)
      return fail(ErrorCode::io, "cannot unmask a swap unit: {}", last_words(result));
  }
  return {};
}

Result<CheckOutcome> check(const StepContext& context, const SetHostname& wish) {
  const auto file = read_file(context.at("/etc/hostname"), kMaxSmallFile);
  const std::string configured(file ? trimmed(*file) : "");
  struct utsname names {};
  const std::string now = ::uname(&names) == 0 ? names.nodename : "";
  if (configured == wish.name && (now == wish.name || !context.root.empty())) {
    return CheckOutcome{true, fmt::format("the host is called {}", wish.name), {}};
  }
  return CheckOutcome{false, fmt::format("set the host name {} (is {})", wish.name, now), {}};
}
Result<ApplyOutcome> apply(const StepContext& context, const SetHostname& wish) {
  struct utsname names {};
  ::uname(&names);
  json::Object detail{{"before", std::string(names.nodename)}};
  TRY(put_file(context, "/etc/hostname", wish.name + "\n", 0644));
  if (context.root.empty()) TRY(set_kernel_hostname(wish.name));
  return ApplyOutcome{fmt::format("set the host name {}", wish.name), std::move(detail), {}};
}
Status undo(const StepContext& context, const SetHostname&) {
  TRY(context.journal.restore_original("/etc/hostname"));
  const auto record = context.journal.find(context.step_id);
  const json::Value* before = record ? record->detail.if_contains("before") : nullptr;
  if (context.root.empty() && before != nullptr && before->is_string()) {
    return set_kernel_hostname(std::string(before->get_string()));
  }
  return {};
}

}  // namespace sealift::installer
