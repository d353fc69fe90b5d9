#include "repo-server/unit_files.hpp"

#include <fmt/format.h>

namespace sealift::repo_server {
namespace {

/// One word of ExecStart= (systemd.service(5), "Command lines"): quoted, with specifiers and variables
/// switched off.
std::string unit_word(const std::string& word) {
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%') out += '%';
    if (c == '$') out += '$';
    out += c;
  }
  return out + '"';
}

/// A path as a setting's value: with specifiers switched off.
std::string unit_path(const std::string& path) {
  std::string out;
  for (const char c : path) out += c == '%' ? "%%" : std::string(1, c);
  return out;
}

/// A file that systemd reads and the service does not: the setting that loads it, and the option that names
/// it.
struct Credential {
  const char* option;
  const char* name;
  const std::string& path;

  std::string setting() const {
    return path.empty() ? "" : fmt::format("LoadCredential={}:{}\n", name, unit_path(path));
  }
  std::string words() const {
    return path.empty() ? "" : fmt::format(" {} \"${{CREDENTIALS_DIRECTORY}}/{}\"", option, name);
  }
};

}  // namespace

std::string service_unit(const UnitSettings& settings) {
  const Credential certificate{"--tls-cert", "tls.crt", settings.tls_certificate};
  const Credential key{"--tls-key", "tls.key", settings.tls_key};
  std::string command = fmt::format("{} serve --state-dir {}{}{}", unit_word(settings.program),
                                    kUnitStateDirectory, certificate.words(), key.words());
  for (const std::string& argument : settings.arguments) command += " " + unit_word(argument);
  // No limit of starts: a certificate whose key follows it later is tried until they match. No
  // ProtectHostname=: it would hide a new name of this machine from the site's certificate.
  return fmt::format(
      "[Unit]\n"
      "Description=Sealift mirror: container registry and package repositories from signed bundles\n"
      "Wants=network-online.target\n"
      "After=network-online.target\n"
      "StartLimitIntervalSec=0\n"
      "\n"
      "[Service]\n"
      "Type=notify\n"
      "ExecStart={}\n"
      "{}{}"
      "Restart=on-failure\n"
      "RestartSec=2\n"
      "TimeoutStopSec=30\n"
      "DynamicUser=yes\n"
      "StateDirectory=sealift-serve\n"
      "StateDirectoryMode=0700\n"
      "UMask=0077\n"
      "LimitNOFILE=65536\n"
      "NoNewPrivileges=yes\n"
      "CapabilityBoundingSet=\n"
      "AmbientCapabilities=\n"
      "ProtectSystem=strict\n"
      "ProtectHome=read-only\n"
      "PrivateTmp=yes\n"
      "PrivateDevices=yes\n"
      "ProtectKernelTunables=yes\n"
      "ProtectKernelModules=yes\n"
      "ProtectKernelLogs=yes\n"
      "ProtectControlGroups=yes\n"
      "ProtectClock=yes\n"
      "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\n"
      "RestrictNamespaces=yes\n"
      "RestrictRealtime=yes\n"
      "RestrictSUIDSGID=yes\n"
      "LockPersonality=yes\n"
      "MemoryDenyWriteExecute=yes\n"
      "SystemCallArchitectures=native\n"
      "SystemCallFilter=@system-service\n"
      "SystemCallErrorNumber=ENOSYS\n"
      "\n"
      "[Install]\n"
      "WantedBy=multi-user.target\n",
      command, certificate.setting(), key.setting());
}

std::string socket_unit(const UnitSettings& settings) {
  std::string streams;
  for (const std::string& address : settings.listen) streams += fmt::format("ListenStream={}\n", address);
  // As the server's own sockets: 0.0.0.0 beside ::, and no wait for an address the network has yet to bring.
  return fmt::format(
      "[Unit]\n"
      "Description=Sealift mirror sockets\n"
      "\n"
      "[Socket]\n"
      "{}"
      "BindIPv6Only=ipv6-only\n"
      "FreeBind=yes\n"
      "Backlog=4096\n"
      "\n"
      "[Install]\n"
      "WantedBy=sockets.target\n",
      streams);
}

std::string certificate_path_unit(const UnitSettings& settings) {
  return fmt::format(
      "[Unit]\n"
      "Description=Sealift mirror: a new TLS certificate\n"
      "\n"
      "[Path]\n"
      "PathChanged={}\n"
      "PathChanged={}\n"
      "\n"
      "[Install]\n"
      "WantedBy=multi-user.target\n",
      unit_path(settings.tls_certificate), unit_path(settings.tls_key));
}

std::string certificate_service_unit() {
  // The pause is for the second of the two files.
  return "[Unit]\n"
         "Description=Sealift mirror: take the new TLS certificate\n"
         "\n"
         "[Service]\n"
         "Type=oneshot\n"
         "ExecStartPre=sleep 5\n"
         "ExecStart=systemctl try-restart sealift.service\n";
}

}  // namespace sealift::repo_server
