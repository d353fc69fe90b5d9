/// What dpkg has installed, read from its status file.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sealift::installer {

/// Installed packages (status "install ok installed" or held) -> version. Packages of foreign architectures
/// are "name:arch" too.
std::map<std::string, std::string> installed_packages(const std::string& root);

/// The same from the text of a status file.
std::map<std::string, std::string> parse_dpkg_status(std::string_view text);

}  // namespace sealift::installer
