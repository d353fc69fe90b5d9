/// Typed steps: everything Sealift ever does to a host is one of these values. A step is data; the agent on
/// the host knows how to `check` (is it already so?), `apply` and `undo` each kind
/// (installer/host/execute.hpp). docs/agent-protocol.md has the JSON form.
///
/// All paths are absolute paths on the host. Text in steps is UTF-8. Files written by steps belong to root.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/base/json.hpp"
#include "lib/base/result.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::installer {

/// Is a text shown in logs, plans and journals, or kept out of all of them?
enum class Secrecy { open, secret };

/// The file has exactly this content and mode. Replaced atomically; the original is backed up once, undo
/// brings it back.
struct WriteFile {
  std::string path{};
  std::string content{};
  unsigned mode = 0644;
  Secrecy secrecy = Secrecy::open;  ///< secret: the content is never logged, shown or journalled
};

/// Where a file of the mirror can be had. Every URL is http(s)://<numeric address>:port/…; they are tried in
/// turn.
struct Download {
  std::vector<std::string> urls{};
  Digest digest = digest_of(std::string_view{});
  std::uint64_t size = 0;
  std::string ca_pem{};  ///< for https: the site CA's certificate
};

/// A downloaded file; streamed and verified beside its path, then renamed over it.
struct FetchFile {
  Download from{};
  std::string path{};
  unsigned mode = 0644;
  std::string
      elf_machine;  ///< "x86_64" or "aarch64": must be an ELF program of that machine; empty: not checked
};

/// The members of a downloaded tar (plain, gzip, zstd) below `directory`. Members that would leave it,
/// devices and set-id bits are refused. The journal remembers the digest of each unpacked file; check
/// compares them.
struct UnpackArchive {
  Download from{};
  std::string directory{};
  unsigned strip_components = 0;
  std::vector<std::string> members{};  ///< path prefixes after stripping; empty: all
};

/// Nothing is at `path` (a directory goes with its content). The host's important directories are refused.
/// Undo restores single files only.
struct RemovePath {
  std::string path{};
};

struct MakeDirectory {
  std::string path{};
  unsigned mode = 0755;
};

struct Symlink {
  std::string path{};
  std::string target{};
};

/// A block of lines of ours between "# BEGIN sealift <name>" and "# END sealift <name>", at the end of a file
/// that belongs to others
/// (/etc/hosts). Lines outside are never touched.
struct FileBlock {
  std::string path{};
  std::string name{};     ///< "hosts"
  std::string content{};  ///< without the markers; empty: the block is removed
};

/// Modules are loaded (or built in) now, and after every boot by a file in /etc/modules-load.d.
struct KernelModules {
  std::string file{};  ///< "/etc/modules-load.d/sealift.conf"
  std::vector<std::string> modules{};
};

/// Kernel settings hold now (read back) and after every boot by a file in /etc/sysctl.d.
struct Sysctl {
  std::string file{};                           ///< "/etc/sysctl.d/95-sealift.conf"
  std::map<std::string, std::string> values{};  ///< "net.ipv4.ip_forward" -> "1"
};

/// No swap now and after the next boot: fstab lines commented with our marker, systemd swap units (zram too)
/// masked.
struct SwapOff {};

struct SetHostname {
  std::string name{};  ///< RFC 1123, lower case, at most 63 characters
};

struct Package {
  std::string name{};
  std::string version{};  ///< exact, as dpkg prints it
  friend bool operator==(const Package&, const Package&) = default;
};

/// Debian packages from our repository and from nowhere else: a private source list, list cache and keyring
/// are used for this one transaction; the machine's own sources are neither read nor changed. The transaction
/// is simulated first and refused when it would remove or downgrade anything. Services are not started by the
/// installation; a SystemdUnit step does that when they are configured.
struct InstallPackages {
  std::vector<std::string>
      repository_urls;  ///< "http://10.0.0.10:12480/apt/debian-12": mirrors of one repository
  std::string suite = "stable";
  std::string component = "main";
  std::string key{};     ///< the repository's OpenPGP public key, ASCII armoured
  std::string ca_pem{};  ///< for https
  std::vector<Package> packages{};
};

enum class Wanted { yes, no, leave };

/// State of a systemd unit. "Changed" steps are remembered in the journal until the unit was restarted after
/// them, so a run that was interrupted between the two still restarts it.
struct SystemdUnit {
  std::string unit{};  ///< "containerd.service"
  Wanted enabled = Wanted::yes;
  Wanted active = Wanted::yes;
  std::vector<std::string> restart_on{};  ///< ids of steps on this host; restarted when one of them changed
                                          ///< something since the last start
  std::vector<std::string> reload_on{};   ///< the same, but reload is enough
  std::chrono::seconds deadline{90};      ///< to become active
};

/// Runs a program, unless `creates` exists or `check` succeeds; with neither, the journal says whether it was
/// done (with these same arguments). A run that began but did not finish is run again, after `recover`; only
/// `check` can say that it was complete all the same.
struct Run {
  std::vector<std::string>
      arguments;  ///< [0] absolute or found in a fixed PATH (/usr/local/sbin … /bin); never a shell line
  std::map<std::string, std::string> environment{};
  std::string input{};  ///< for standard input; secret: never logged
  Secrecy input_secrecy = Secrecy::open;
  std::string creates{};               ///< path, or empty
  std::string mark{};                  ///< written into `creates` (0600) by the agent once the program has
                                       ///< succeeded; empty: the program makes that file itself
  std::vector<std::string> check{};    ///< program that exits 0 when there is nothing to do, or empty
  std::string check_expect{};          ///< what its output must then also contain; empty: anything
  std::vector<std::string> recover{};  ///< program to run first when an earlier attempt was interrupted or
                                       ///< failed (kubeadm reset -f …)
  std::chrono::seconds timeout{600};
  std::chrono::seconds retry_for{0};  ///< a run that fails is repeated every 3 s for so long
  std::vector<int> success_codes{0};
  Secrecy output_secrecy = Secrecy::open;  ///< secret: output goes neither to the log nor into error messages
  std::vector<std::string> redact{};       ///< texts replaced by *** in all output (tokens)
  std::vector<std::string>
      restart_on;  ///< run again when one of these steps changed something since the last time
};

/// Runs a program that changes nothing and gives its standard output (at most 1 MiB, final newline cut) to
/// later tasks as Outputs[step id]. Also run by `plan`.
struct Capture {
  std::vector<std::string> arguments{};
  std::chrono::seconds timeout{60};
  Secrecy secrecy = Secrecy::open;
};

/// Gives a file's content (at most 1 MiB) to later tasks as Outputs[step id]. Also done by `plan`; a missing
/// file fails in `install` and is merely not known yet in `plan`.
struct ReadFile {
  std::string path{};
  Secrecy secrecy = Secrecy::open;
};

struct TcpReachable {
  std::string address{};  ///< numeric
  std::uint16_t port = 0;
};

/// GET answers with `status`. https: verified against ca_file (a PEM file on the host) or ca_pem; with
/// neither, the certificate is not checked (only for a host's own loopback health ports).
struct HttpAnswers {
  std::string url{};  ///< numeric address
  int status = 200;
  std::string ca_pem{};
  std::string ca_file{};
};

struct FileExists {
  std::string path{};
};

struct CommandSucceeds {
  std::vector<std::string> arguments{};
  std::chrono::seconds timeout{10};  ///< of one try
  std::string expect{};              ///< text the output must contain, or empty
};

using Condition = std::variant<TcpReachable, HttpAnswers, FileExists, CommandSucceeds>;

/// Polls every 200 ms until the condition holds. Changes nothing; `plan` skips it.
struct WaitFor {
  Condition condition{};
  std::chrono::seconds deadline{120};
};

using Action = std::variant<WriteFile, FetchFile, UnpackArchive, RemovePath, MakeDirectory, Symlink,
                            FileBlock, KernelModules, Sysctl, SwapOff, SetHostname, InstallPackages,
                            SystemdUnit, Run, Capture, ReadFile, WaitFor>;

struct Step {
  std::string id{};  ///< "<phase>/<host>/<name>": stable between runs, the journal's key
  Action action{};
  std::string hint{};  ///< what the person can do when it fails; may be empty
};

/// "write_file", "fetch_file", ...: the value of "kind" in the JSON form.
std::string_view kind_of(const Action& action);

/// One line in the infinitive, without secrets: "write /etc/containerd/config.toml (0644, 1.2 KiB)".
std::string describe(const Action& action);

/// The JSON form holds secrets: it is for the agent's pipe only.
json::Value to_json(const Step& step);
/// Strict: unknown kinds and unknown members, relative paths, bad modes and the like are errors that name the
/// step and member.
Result<Step> step_from_json(const json::Value& value, const std::string& what);

/// What the journal remembers the wish by: sha256 over the JSON form without secret values.
Digest fingerprint(const Action& action);

}  // namespace sealift::installer
