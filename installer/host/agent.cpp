#include "installer/host/agent.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "installer/host/execute.hpp"
#include "installer/host/journal.hpp"
#include "installer/host/protocol.hpp"
#include "lib/base/files.hpp"
#include "lib/base/version.hpp"

namespace sealift::installer {

namespace {

using Clock = std::chrono::steady_clock;
// Long enough for a killed run's kubeadm or package installation to finish.
constexpr auto kLockPatience = std::chrono::minutes(10);
constexpr auto kProgressInterval = std::chrono::milliseconds(250);
constexpr std::size_t kMaxThreads = 16;

Result<Digest> own_digest() {
  TRY_ASSIGN(const FileDescriptor program, open_for_reading("/proc/self/exe"));
  TRY_ASSIGN(const std::uint64_t size, file_size(program));
  FileSource source(program, 0, size);
  Hasher hasher;
  std::array<std::byte, 256 << 10> buffer{};
  for (;;) {
    TRY_ASSIGN(const std::size_t count, source.read(buffer));
    if (count == 0) return hasher.finish();
    hasher.update(Bytes(buffer).first(count));
  }
}

class Agent {
 public:
  explicit Agent(const AgentOptions& options) : options_(options) {}

  Status serve() {
    TRY_ASSIGN(const Digest program, own_digest());
    send(protocol::Hello{protocol::kVersion, program.str(), std::string(kSealiftVersion), ::geteuid()});
    const Status status = read_requests();
    // The deploy host is gone or wants no more.
    stop_.store(true);
    for (std::thread& thread : threads_) thread.join();
    return status;
  }

 private:
  Status read_requests() {
    protocol::LineSplitter lines;
    std::array<char, 64 << 10> buffer{};
    for (;;) {
      pollfd waiting{options_.input, POLLIN, 0};
      if (::poll(&waiting, 1, static_cast<int>(options_.patience.count())) == 0) {
        return fail(ErrorCode::network, "nothing was heard from the installer for {} s",
                    options_.patience.count() / 1000);
      }
      const ssize_t count = ::read(options_.input, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail_errno(errno, "cannot read requests");
      if (count == 0) return {};
      TRY(lines.feed(std::string_view(buffer.data(), static_cast<std::size_t>(count))));
      while (const std::optional<std::string> line = lines.next()) {
        if (line->empty()) continue;
        TRY_ASSIGN(protocol::Request request, protocol::parse_request(*line));
        TRY(take(std::move(request)));
      }
    }
  }

  Status take(protocol::Request request) {
    if (std::holds_alternative<protocol::Alive>(request)) return {};
    if (std::holds_alternative<protocol::CancelAsked>(request)) {
      stop_.store(true);
      return {};
    }
    if (threads_.size() >= kMaxThreads * 64)
      return fail(ErrorCode::unsupported, "too many requests in one session");
    threads_.emplace_back([this, request = std::move(request)] {
      if (const auto* facts = std::get_if<protocol::FactsAsked>(&request)) {
        send(protocol::FactsTold{facts->id, gather_facts(facts->request, options_.root)});
      } else if (const auto* run = std::get_if<protocol::RunAsked>(&request)) {
        send_end(run->id, run_steps(*run));
      } else if (const auto* hold = std::get_if<protocol::HoldAsked>(&request)) {
        // Never released: the lock goes with the process.
        send_end(hold->id, hold_host(hold->id, ""));
      }
    });
    return {};
  }

  void send_end(std::uint64_t id, const Status& status) {
    protocol::EndTold end{.id = id, .ok = status.has_value(), .code = {}, .message = {}};
    if (!status) {
      end.code = status.error().code();
      end.message = status.error().message();
    }
    send(end);
  }

  /// A vanished reader must not keep the agent from finishing its step: later writes are simply lost.
  void send(const protocol::Answer& answer) {
    std::string line = protocol::encode(answer);
    line += '\n';
    const std::lock_guard lock(output_mutex_);
    for (std::size_t sent = 0; sent < line.size();) {
      const ssize_t count = ::write(options_.output, line.data() + sent, line.size() - sent);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        stop_.store(true);
        return;
      }
      sent += static_cast<std::size_t>(count);
    }
  }

  Status run_steps(const protocol::RunAsked& run) {
    // Looking needs no lock and must not wait for one: it reads the journal as it is at this moment.
    if (run.mode == StepMode::check) {
      TRY_ASSIGN(const std::unique_ptr<Journal> seen, Journal::open(options_.root));
      return run_steps(run, *seen);
    }
    TRY(hold_host(run.id, run.steps.empty() ? "" : run.steps.front().id));
    const Status status = run_steps(run, *journal_);
    release_host();
    return status;
  }

  Status run_steps(const protocol::RunAsked& run, Journal& journal) {
    // What a plan's earlier tasks would change here decides about later restarts; an installation goes by the
    // journal alone.
    std::set<std::string> would_change;
    {
      const std::lock_guard lock(would_change_mutex_);
      if (run.mode == StepMode::check) {
        would_change = would_change_;
      } else {
        would_change_.clear();
      }
    }
    std::vector<const Step*> order;
    for (const Step& step : run.steps) order.push_back(&step);
    if (run.mode == StepMode::undo) std::reverse(order.begin(), order.end());
    if (run.mode == StepMode::apply) TRY(journal.claim(run.owner));
    if (run.mode != StepMode::apply) TRY(check_owner(journal, run.owner));
    for (const Step* step : order) {
      if (stop_.load()) return fail(ErrorCode::interrupted, "stopped before the step {}", step->id);
      TRY(run_step(run, *step, journal, would_change));
    }
    if (run.mode == StepMode::check) {
      const std::lock_guard lock(would_change_mutex_);
      would_change_.merge(would_change);
    }
    return {};
  }

  static Status check_owner(const Journal& journal, const Owner& owner) {
    const std::optional<Owner> found = journal.owner();
    if (!found || found->cluster_id == owner.cluster_id) return {};
    return fail(ErrorCode::conflict, "this host belongs to the cluster {:?}, not to {:?}",
                found->cluster_name, owner.cluster_name);
  }

  Status run_step(const protocol::RunAsked& run, const Step& step, Journal& journal,
                  std::set<std::string>& would_change) {
    const auto tell = [&](StepEvent event) {
      event.step_id = step.id;
      send(protocol::EventTold{run.id, std::move(event)});
    };
    const auto begin = Clock::now();
    tell({.kind = StepEvent::Kind::started, .text = describe(step.action)});
    Clock::time_point last_progress = begin;
    const auto progress = [&](std::uint64_t done, std::uint64_t total) {
      const auto now = Clock::now();
      if (done != total && now - last_progress < kProgressInterval) return;
      last_progress = now;
      tell({.kind = StepEvent::Kind::progress, .done = done, .total = total});
    };
    const auto output = [&](std::string_view line) {
      tell({.kind = StepEvent::Kind::output, .text = std::string(line)});
    };
    auto outcome =
        execute_step(step, run.mode, options_.root, journal, stop_, would_change, progress, output);
    StepEvent finished{.kind = StepEvent::Kind::finished};
    finished.elapsed_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count());
    if (!outcome) {
      finished.result = StepResult::failed;
      finished.error_code = outcome.error().code();
      finished.text = outcome.error().message();
      tell(finished);
      return tl::unexpected(std::move(outcome).error());
    }
    finished.result = outcome->result;
    finished.text = outcome->text;
    finished.has_output = outcome->output.has_value();
    finished.output = outcome->output.value_or("");
    tell(finished);
    return {};
  }

  /// Two installers must not change one host at the same time. A run that was killed leaves its agent a
  /// moment to finish its step. Waiting is told as output of `step`.
  Status hold_host(std::uint64_t request, const std::string& step) {
    const std::lock_guard guard(lock_mutex_);
    if (holders_ > 0) {
      ++holders_;
      return {};
    }
    const fs::path path = options_.root + "/run/sealift/agent.lock";
    TRY(create_directories(path.parent_path(), 0755));
    TRY_ASSIGN(FileDescriptor lock, open_file(path, O_RDWR | O_CREAT, 0600));
    const auto patience = Clock::now() + kLockPatience;
    for (bool told = false; ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0; told = true) {
      if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno(errno, "cannot lock " + path.string());
      const std::string holder = read_file(path, 64).value_or("unknown");
      if (stop_.load())
        return fail(ErrorCode::interrupted, "stopped while waiting for another Sealift on this host");
      if (Clock::now() >= patience) {
        return fail(ErrorCode::conflict,
                    "another Sealift (process {}) is changing this host; wait until it is done", holder);
      }
      if (!told) {
        send(protocol::EventTold{
            request,
            {.kind = StepEvent::Kind::output,
             .step_id = step,
             .text = "waiting for another Sealift on this host (process " + holder + ")"}});
      }
      ::poll(nullptr, 0, 100);
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(lock.get(), 0) != 0) return fail_errno(errno, "cannot write " + path.string());
    TRY(write_exactly_at(lock, 0, as_bytes(pid)));
    // Read only now: another agent may have written it while we waited.
    TRY_ASSIGN(journal_, Journal::open(options_.root));
    lock_ = std::move(lock);
    holders_ = 1;
    return {};
  }

  void release_host() {
    const std::lock_guard guard(lock_mutex_);
    if (--holders_ > 0) return;
    journal_.reset();
    lock_ = FileDescriptor();
  }

  AgentOptions options_;
  std::mutex output_mutex_;
  std::mutex lock_mutex_;
  std::mutex would_change_mutex_;
  std::set<std::string> would_change_;
  std::atomic<bool> stop_{false};
  FileDescriptor lock_;
  unsigned holders_ = 0;  // runs under way that change something, and a hold
  std::unique_ptr<Journal> journal_;
  std::vector<std::thread> threads_;
};

}  // namespace

Status serve_agent(const AgentOptions& options) {
  // A closed pipe is noticed by write(); the terminal's signals are for the deploy host's program.
  for (const int number : {SIGPIPE, SIGHUP, SIGINT, SIGQUIT}) ::signal(number, SIG_IGN);
  ::umask(022);
  Agent agent(options);
  return agent.serve();
}

}  // namespace sealift::installer
