/// The sessions with all hosts of an installation together.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "installer/host/session.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

/// By the names of the hosts.
using Sessions = std::map<std::string, std::unique_ptr<Session>>;

/// How many hosts are connected to at the same time: sshd, on a jump host that all logins lead through, drops
/// some of more than ten that have not logged in yet (MaxStartups in sshd_config(5)).
inline constexpr unsigned kConnectingAtOnce = 8;

/// For threads that connect.
using ConnectionGate = std::counting_semaphore<kConnectingAtOnce>;

/// Opens sessions to all hosts, kConnectingAtOnce in parallel. One error that names every host that could not
/// be reached.
Result<Sessions> connect_all(Transport& transport, const std::vector<HostAddress>& hosts);

/// Keeps other installers from all these hosts for as long as the sessions live. To be called before the
/// facts are asked: no plan may rest on what another run is just changing. One host after the other in the
/// order of their names, so that two installers cannot wait for each other. `tell` hears of waiting, with the
/// host's name; ErrorCode::interrupted once `cancel` is set.
Status hold_all(const Sessions& sessions,
                const std::function<void(const std::string& host, const std::string& text)>& tell,
                const std::atomic<bool>& cancel);

}  // namespace sealift::installer
