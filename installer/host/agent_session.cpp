#include "installer/host/agent_session.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "installer/host/protocol.hpp"

namespace sealift::installer {

namespace {

constexpr auto kHelloPatience = std::chrono::seconds(30);
constexpr std::size_t kMaxNoise = 64U << 10;

class AgentSession final : public Session {
 public:
  AgentSession(std::unique_ptr<Channel> channel, std::string host)
      : channel_(std::move(channel)), host_(std::move(host)), reader_([this] { read_answers(); }) {}

  ~AgentSession() override {
    channel_->close();
    reader_.join();
  }

  Status hold(const StepEventHandler& handler) override {
    Pending pending;
    pending.handler = &handler;
    const std::uint64_t id = add(pending);
    const Status sent = channel_->send(protocol::encode(protocol::HoldAsked{id}));
    return finish(id, pending, sent);
  }

  Result<Facts> facts(const FactsRequest& request) override {
    Pending pending;
    const std::uint64_t id = add(pending);
    const Status sent = channel_->send(protocol::encode(protocol::FactsAsked{id, request}));
    TRY(finish(id, pending, sent));
    return std::move(pending.facts);
  }

  Status run(const Owner& owner, const std::vector<Step>& steps, StepMode mode,
             const StepEventHandler& handler) override {
    Pending pending;
    pending.handler = &handler;
    const std::uint64_t id = add(pending);
    const std::string request = protocol::encode(protocol::RunAsked{id, mode, owner, steps});
    const Status sent =
        request.size() < protocol::kMaxLineBytes
            ? channel_->send(request)
            : fail(ErrorCode::unsupported, "the steps for {} are larger than {} bytes together", host_,
                   protocol::kMaxLineBytes);
    return finish(id, pending, sent);
  }

  void cancel() override { (void)channel_->send(protocol::encode(protocol::CancelAsked{})); }

 private:
  /// A request under way; lives on the stack of the thread that waits for it.
  struct Pending {
    const StepEventHandler* handler = nullptr;
    Facts facts;
    bool ended = false;
    std::optional<Error> error;
  };

  std::uint64_t add(Pending& pending) {
    const std::lock_guard lock(mutex_);
    pending_[++last_id_] = &pending;
    return last_id_;
  }

  Status finish(std::uint64_t id, Pending& pending, const Status& sent) {
    std::unique_lock lock(mutex_);
    if (!sent && !closed_) pending.error = sent.error();
    ended_.wait(lock, [&] { return pending.ended || closed_ || pending.error; });
    pending_.erase(id);
    // The reader may be inside this request's handler: it must not outlive the request.
    ended_.wait(lock, [&] { return handling_ != id; });
    if (pending.error) return tl::unexpected(*pending.error);
    if (!pending.ended) return tl::unexpected(*closed_);
    return {};
  }

  void read_answers() {
    auto last_alive = std::chrono::steady_clock::now();
    for (;;) {
      auto line = channel_->receive(protocol::kAliveInterval);
      if (const auto now = std::chrono::steady_clock::now(); now - last_alive >= protocol::kAliveInterval) {
        last_alive = now;
        // A broken connection shows with the next receive.
        (void)channel_->send(protocol::encode(protocol::Alive{}));
      }
      if (!line && line.error().code() == ErrorCode::interrupted) continue;
      if (!line) return close(std::move(line).error());
      if (!*line) {
        const std::string diagnosis = channel_->diagnosis();
        return close(
            Error(ErrorCode::network,
                  fmt::format("the connection to {} broke off{}{}; run the same command again to resume",
                              host_, diagnosis.empty() ? "" : ": ", diagnosis)));
      }
      if ((*line)->empty()) continue;
      auto answer = protocol::parse_answer(**line);
      if (!answer) return close(std::move(answer).error().within("answer of the agent on " + host_));
      take(*answer);
    }
  }

  void take(protocol::Answer& answer) {
    std::unique_lock lock(mutex_);
    if (auto* facts = std::get_if<protocol::FactsTold>(&answer)) {
      if (const auto found = pending_.find(facts->id); found != pending_.end()) {
        found->second->facts = std::move(facts->facts);
        found->second->ended = true;
      }
    } else if (auto* event = std::get_if<protocol::EventTold>(&answer)) {
      const auto found = pending_.find(event->id);
      if (found == pending_.end() || found->second->handler == nullptr) return;
      const StepEventHandler& handler = *found->second->handler;
      handling_ = event->id;
      lock.unlock();
      handler(event->event);
      lock.lock();
      handling_ = 0;
    } else if (auto* end = std::get_if<protocol::EndTold>(&answer)) {
      if (const auto found = pending_.find(end->id); found != pending_.end()) {
        if (!end->ok) found->second->error = Error(end->code, end->message);
        found->second->ended = true;
      }
    }
    lock.unlock();
    ended_.notify_all();
  }

  void close(Error error) {
    {
      const std::lock_guard lock(mutex_);
      closed_ = std::move(error);
    }
    ended_.notify_all();
  }

  std::unique_ptr<Channel> channel_;
  std::string host_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::map<std::uint64_t, Pending*> pending_;
  std::uint64_t last_id_ = 0;
  std::uint64_t handling_ = 0;
  std::optional<Error> closed_;
  std::thread reader_;
};

}  // namespace

Result<std::unique_ptr<Session>> open_session(std::unique_ptr<Channel> channel, const std::string& host,
                                              const std::string& program) {
  std::string noise;
  for (;;) {
    auto line = channel->receive(kHelloPatience);
    if (!line) return tl::unexpected(std::move(line).error().within("starting the agent on " + host));
    if (!*line) {
      std::string said = channel->diagnosis();
      if (said.empty()) said = noise.empty() ? "it said nothing" : noise;
      if (said.find("shared librar") != std::string::npos) {
        said += "; use the static program, which is in every bundle";
      }
      return fail(ErrorCode::network, "the agent on {} did not start: {}", host, said);
    }
    const auto answer = protocol::parse_answer(**line);
    const auto* hello = answer ? std::get_if<protocol::Hello>(&*answer) : nullptr;
    if (hello == nullptr) {
      noise += **line + "\n";
      if (noise.size() > kMaxNoise) {
        return fail(ErrorCode::network, "{} answers with something that is not the agent: {:?}", host,
                    noise.substr(0, 200));
      }
      continue;
    }
    if (hello->protocol != protocol::kVersion) {
      return fail(ErrorCode::unsupported, "the agent on {} speaks protocol {}, expected {}", host,
                  hello->protocol, protocol::kVersion);
    }
    if (!program.empty() && hello->program != program) {
      return fail(ErrorCode::integrity, "the agent on {} is the program {}, expected {}", host,
                  hello->program, program);
    }
    return std::make_unique<AgentSession>(std::move(channel), host);
  }
}

}  // namespace sealift::installer
