#include "installer/host/dpkg.hpp"

#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

constexpr std::uint64_t kMaxStatus = 256ULL << 20;

/// The value of a one-line field, when `line` is that field.
bool take_field(std::string_view line, std::string_view name, std::string& value) {
  if (!line.starts_with(name)) return false;
  line.remove_prefix(name.size());
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  value = std::string(line);
  return true;
}

}  // namespace

std::map<std::string, std::string> parse_dpkg_status(std::string_view text) {
  std::map<std::string, std::string> result;
  std::string name;
  std::string status;
  std::string version;
  std::string architecture;
  const auto end_paragraph = [&] {
    if (!name.empty() && !version.empty() && status.ends_with(" ok installed")) {
      result[name] = version;
      result[name + ":" + architecture] = version;
    }
    name.clear();
    status.clear();
    version.clear();
    architecture.clear();
  };
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) {
      end_paragraph();
    } else if (!take_field(line, "Package:", name) && !take_field(line, "Status:", status) &&
               !take_field(line, "Version:", version)) {
      take_field(line, "Architecture:", architecture);
    }
  }
  end_paragraph();
  return result;
}

std::map<std::string, std::string> installed_packages(const std::string& root) {
  const auto text = read_file(root + "/var/lib/dpkg/status", kMaxStatus);
  return text ? parse_dpkg_status(*text) : std::map<std::string, std::string>{};
}

}  // namespace sealift::installer
