#include "installer/apply/sessions.hpp"

#include <chrono>
#include <future>
#include <thread>

namespace sealift::installer {

Result<Sessions> connect_all(Transport& transport, const std::vector<HostAddress>& hosts) {
  std::vector<Result<std::unique_ptr<Session>>> results;
  results.reserve(hosts.size());
  for (std::size_t i = 0; i < hosts.size(); ++i) results.emplace_back(fail(ErrorCode::internal, "not tried"));
  ConnectionGate gate(kConnectingAtOnce);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    threads.emplace_back([&, i] {
      gate.acquire();
      results[i] = transport.connect(hosts[i]);
      gate.release();
    });
  }
  for (std::thread& thread : threads) thread.join();
  Sessions sessions;
  std::string errors;
  ErrorCode code = ErrorCode::network;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (results[i]) {
      sessions[hosts[i].name] = std::move(*results[i]);
    } else {
      if (errors.empty()) code = results[i].error().code();
      errors += (errors.empty() ? "" : "\n") + results[i].error().message();
    }
  }
  if (!errors.empty()) return fail(code, "{}", errors);
  return sessions;
}

Status hold_all(const Sessions& sessions,
                const std::function<void(const std::string& host, const std::string& text)>& tell,
                const std::atomic<bool>& cancel) {
  for (const auto& [name, session] : sessions) {
    auto held = std::async(std::launch::async, [&tell, &host = name, link = session.get()] {
      return link->hold([&](const StepEvent& event) { tell(host, event.text); });
    });
    while (held.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready)
      if (cancel.load()) session->cancel();
    TRY(within(held.get(), name));
  }
  return {};
}

}  // namespace sealift::installer
