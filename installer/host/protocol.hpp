/// What runs over the agent's standard input and output: one JSON object a line, at most kMaxLineBytes
/// (docs/agent-protocol.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "installer/host/facts.hpp"
#include "installer/host/session.hpp"
#include "installer/host/step.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer::protocol {

inline constexpr std::uint64_t kVersion = 1;
inline constexpr std::size_t kMaxLineBytes = 16U << 20;
inline constexpr std::size_t kMaxSteps = 10000;
inline constexpr std::chrono::seconds kAliveInterval{10};

// Requests: from the deploy host to the agent.
struct FactsAsked {
  std::uint64_t id = 0;
  FactsRequest request{};
};
struct RunAsked {
  std::uint64_t id = 0;
  StepMode mode = StepMode::check;
  Owner owner{};
  std::vector<Step> steps{};
};
/// The host is to be ours until the session ends.
struct HoldAsked {
  std::uint64_t id = 0;
};
/// Every run ends after its current step.
struct CancelAsked {};
/// Says only that the deploy host still lives; sent every kAliveInterval.
struct Alive {};
using Request = std::variant<FactsAsked, RunAsked, HoldAsked, CancelAsked, Alive>;

// Answers: from the agent.
/// The agent's first line.
struct Hello {
  std::uint64_t protocol = kVersion;
  std::string program{};  ///< digest of the running program
  std::string version{};  ///< of Sealift
  std::uint64_t uid = 0;
};
struct FactsTold {
  std::uint64_t id = 0;
  Facts facts{};
};
struct EventTold {
  std::uint64_t id = 0;
  StepEvent event{};
};
/// The last word on a request.
struct EndTold {
  std::uint64_t id = 0;
  bool ok = true;
  ErrorCode code = ErrorCode::internal;
  std::string message{};
};
using Answer = std::variant<Hello, FactsTold, EventTold, EndTold>;

/// One line without its end.
std::string encode(const Request& request);
std::string encode(const Answer& answer);
/// Strict: an unknown type, a missing or wrong member is ErrorCode::integrity.
Result<Request> parse_request(std::string_view line);
Result<Answer> parse_answer(std::string_view line);

/// Cuts a byte stream into lines.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t limit = kMaxLineBytes) : limit_(limit) {}
  /// Adds bytes; ErrorCode::integrity once a line is longer than the limit.
  Status feed(std::string_view bytes);
  /// The next complete line, or nothing.
  std::optional<std::string> next();

 private:
  std::size_t limit_;
  std::string buffer_{};
  std::size_t begin_ = 0;
  std::size_t searched_ = 0;
};

}  // namespace sealift::installer::protocol
