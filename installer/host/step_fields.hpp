/// The members of every kind of step, once, for both directions of the JSON form. Only step_json.cpp includes
/// this.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "installer/host/step.hpp"

namespace sealift::installer {

/// What a field may hold beyond its type.
enum class Rule { any, filled, path, path_or_empty, mode, name };
/// Is the field part of the fingerprint?
enum class Part { wish, secret, tuning };

inline bool is_clean_path(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.size() > 4000 || path.find('\0') != std::string_view::npos)
    return false;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part == ".." || part == "." || (part.empty() && path.size() > 1)) return false;
    begin = end + 1;
  }
  return true;
}

/// Names of modules, units, blocks: what can stand in a file name and a command without surprise.
inline bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@:\\+~") ==
             std::string_view::npos;
}

template <typename Visitor>
void fields(Visitor& visit, Download& value) {
  visit("urls", value.urls, Rule::filled, Part::tuning);
  visit("digest", value.digest);
  visit("size", value.size);
  visit("ca_pem", value.ca_pem, Rule::any, Part::tuning);
}
template <typename Visitor>
void fields(Visitor& visit, WriteFile& value) {
  visit("secrecy", value.secrecy);
  visit("path", value.path, Rule::path);
  visit("content", value.content, Rule::any, value.secrecy == Secrecy::secret ? Part::secret : Part::wish);
  visit("mode", value.mode, Rule::mode);
}
template <typename Visitor>
void fields(Visitor& visit, FetchFile& value) {
  visit("from", value.from);
  visit("path", value.path, Rule::path);
  visit("mode", value.mode, Rule::mode);
  visit("elf_machine", value.elf_machine);
}
template <typename Visitor>
void fields(Visitor& visit, UnpackArchive& value) {
  visit("from", value.from);
  visit("directory", value.directory, Rule::path);
  visit("strip_components", value.strip_components);
  visit("members", value.members);
}
template <typename Visitor>
void fields(Visitor& visit, RemovePath& value) {
  visit("path", value.path, Rule::path);
}
template <typename Visitor>
void fields(Visitor& visit, MakeDirectory& value) {
  visit("path", value.path, Rule::path);
  visit("mode", value.mode, Rule::mode);
}
template <typename Visitor>
void fields(Visitor& visit, Symlink& value) {
  visit("path", value.path, Rule::path);
  visit("target", value.target, Rule::filled);
}
template <typename Visitor>
void fields(Visitor& visit, FileBlock& value) {
  visit("path", value.path, Rule::path);
  visit("name", value.name, Rule::name);
  visit("content", value.content);
}
template <typename Visitor>
void fields(Visitor& visit, KernelModules& value) {
  visit("file", value.file, Rule::path);
  visit("modules", value.modules, Rule::name);
}
template <typename Visitor>
void fields(Visitor& visit, Sysctl& value) {
  visit("file", value.file, Rule::path);
  visit("values", value.values);
}
template <typename Visitor>
void fields(Visitor&, SwapOff&) {}
template <typename Visitor>
void fields(Visitor& visit, SetHostname& value) {
  visit("name", value.name, Rule::name);
}
template <typename Visitor>
void fields(Visitor& visit, Package& value) {
  visit("name", value.name, Rule::name);
  visit("version", value.version, Rule::filled);
}
template <typename Visitor>
void fields(Visitor& visit, InstallPackages& value) {
  visit("repository_urls", value.repository_urls, Rule::filled, Part::tuning);
  visit("suite", value.suite, Rule::name);
  visit("component", value.component, Rule::name);
  visit("key", value.key, Rule::filled);
  visit("ca_pem", value.ca_pem, Rule::any, Part::tuning);
  visit("packages", value.packages);
}
template <typename Visitor>
void fields(Visitor& visit, SystemdUnit& value) {
  visit("unit", value.unit, Rule::name);
  visit("enabled", value.enabled);
  visit("active", value.active);
  visit("restart_on", value.restart_on);
  visit("reload_on", value.reload_on);
  visit("deadline_s", value.deadline, Rule::any, Part::tuning);
}
template <typename Visitor>
void fields(Visitor& visit, Run& value) {
  visit("arguments", value.arguments, Rule::filled);
  visit("environment", value.environment);
  visit("input_secrecy", value.input_secrecy);
  visit("input", value.input, Rule::any, value.input_secrecy == Secrecy::secret ? Part::secret : Part::wish);
  visit("creates", value.creates, Rule::path_or_empty);
  visit("mark", value.mark);
  visit("check", value.check);
  visit("check_expect", value.check_expect);
  visit("recover", value.recover, Rule::any, Part::tuning);
  visit("timeout_s", value.timeout, Rule::any, Part::tuning);
  visit("retry_for_s", value.retry_for, Rule::any, Part::tuning);
  visit("success_codes", value.success_codes);
  visit("output_secrecy", value.output_secrecy, Rule::any, Part::tuning);
  visit("redact", value.redact, Rule::any, Part::secret);
  visit("restart_on", value.restart_on);
}
template <typename Visitor>
void fields(Visitor& visit, Capture& value) {
  visit("arguments", value.arguments, Rule::filled);
  visit("timeout_s", value.timeout, Rule::any, Part::tuning);
  visit("secrecy", value.secrecy);
}
template <typename Visitor>
void fields(Visitor& visit, ReadFile& value) {
  visit("path", value.path, Rule::path);
  visit("secrecy", value.secrecy);
}
template <typename Visitor>
void fields(Visitor& visit, TcpReachable& value) {
  visit("address", value.address, Rule::filled);
  visit("port", value.port);
}
template <typename Visitor>
void fields(Visitor& visit, HttpAnswers& value) {
  visit("url", value.url, Rule::filled);
  visit("status", value.status);
  visit("ca_pem", value.ca_pem);
  visit("ca_file", value.ca_file, Rule::path_or_empty);
}
template <typename Visitor>
void fields(Visitor& visit, FileExists& value) {
  visit("path", value.path, Rule::path);
}
template <typename Visitor>
void fields(Visitor& visit, CommandSucceeds& value) {
  visit("arguments", value.arguments, Rule::filled);
  visit("timeout_s", value.timeout);
  visit("expect", value.expect);
}
template <typename Visitor>
void fields(Visitor& visit, WaitFor& value) {
  visit("condition", value.condition);
  visit("deadline_s", value.deadline, Rule::any, Part::tuning);
}

template <typename T>
constexpr std::string_view kind_name() {
  if constexpr (std::is_same_v<T, WriteFile>) return "write_file";
  if constexpr (std::is_same_v<T, FetchFile>) return "fetch_file";
  if constexpr (std::is_same_v<T, UnpackArchive>) return "unpack_archive";
  if constexpr (std::is_same_v<T, RemovePath>) return "remove_path";
  if constexpr (std::is_same_v<T, MakeDirectory>) return "make_directory";
  if constexpr (std::is_same_v<T, Symlink>) return "symlink";
  if constexpr (std::is_same_v<T, FileBlock>) return "file_block";
  if constexpr (std::is_same_v<T, KernelModules>) return "kernel_modules";
  if constexpr (std::is_same_v<T, Sysctl>) return "sysctl";
  if constexpr (std::is_same_v<T, SwapOff>) return "swap_off";
  if constexpr (std::is_same_v<T, SetHostname>) return "set_hostname";
  if constexpr (std::is_same_v<T, InstallPackages>) return "install_packages";
  if constexpr (std::is_same_v<T, SystemdUnit>) return "systemd_unit";
  if constexpr (std::is_same_v<T, Run>) return "run";
  if constexpr (std::is_same_v<T, Capture>) return "capture";
  if constexpr (std::is_same_v<T, ReadFile>) return "read_file";
  if constexpr (std::is_same_v<T, WaitFor>) return "wait_for";
  if constexpr (std::is_same_v<T, TcpReachable>) return "tcp";
  if constexpr (std::is_same_v<T, HttpAnswers>) return "http";
  if constexpr (std::is_same_v<T, FileExists>) return "file";
  if constexpr (std::is_same_v<T, CommandSucceeds>) return "command";
}

}  // namespace sealift::installer
