#include "repo-server/repository/status.hpp"

#include <fmt/format.h>

#include "lib/base/json.hpp"
#include "lib/base/version.hpp"

namespace sealift::repo_server {
namespace {

/// Label values are UTF-8; backslash, quote and newline are escaped (Prometheus exposition format).
std::string label(std::string_view text) {
  std::string out;
  for (const char c : json::to_utf8(std::string(text))) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

void metric(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

}  // namespace

http::Response ServerStatus::health() const { return http::text_response(200, "ok"); }

http::Response ServerStatus::readiness() const {
  const auto reports = verification_.reports();
  bool ready = true;
  bool verified = true;
  json::Array bundles;
  for (std::size_t i = 0; i < overlay_.bundles().size(); ++i) {
    const MountedBundle& mounted = *overlay_.bundles()[i];
    const VerificationReport& report = reports[i];
    const bool unchanged = mounted.is_unchanged();
    ready = ready && unchanged;
    verified = verified &&
               (report.state == VerificationState::complete || report.state == VerificationState::remembered);
    json::Object entry{{"file", mounted.path().filename().string()},
                       {"name", mounted.contents().name},
                       {"version", mounted.contents().version},
                       {"root", mounted.verified().file().root_digest().str()},
                       {"verification", unchanged ? to_string(report.state) : "changed while served"},
                       {"bytesDone", report.bytes_done},
                       {"bytesTotal", report.bytes_total}};
    if (!report.error.empty()) entry["error"] = report.error;
    bundles.push_back(std::move(entry));
  }
  http::Response response;
  response.status = ready ? 200 : 503;
  response.content_type = "application/json";
  response.headers = "Cache-Control: no-store\r\n";
  response.body = json::serialize_pretty(json::Object{{"status", ready ? "ready" : "unavailable"},
                                                      {"verified", ready && verified},
                                                      {"bundles", std::move(bundles)}});
  return response;
}

std::vector<BundleRow> ServerStatus::bundle_rows() const {
  const auto reports = verification_.reports();
  std::vector<BundleRow> rows;
  for (std::size_t i = 0; i < overlay_.bundles().size(); ++i) {
    const bundle::Contents& contents = overlay_.bundles()[i]->contents();
    rows.push_back({contents.name, contents.version, format_rfc3339(contents.time),
                    overlay_.bundles()[i]->verified().file().root_digest().short_hex(),
                    std::string(to_string(reports[i].state)), contents.images.size(), contents.files.size()});
  }
  return rows;
}

http::Response ServerStatus::metrics() const {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    metric(out, name, type, help);
    fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
  };
  metric(out, "sealift_http_requests_total", "counter", "Answered requests by class of status.");
  for (std::size_t i = 1; i < statistics_.requests_by_class.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "sealift_http_requests_total{{class=\"{}xx\"}} {}\n", i,
                   statistics_.requests_by_class[i].load());
  }
  add("sealift_http_body_bytes_total", "counter", "Bytes of bodies sent.", statistics_.body_bytes.load());
  add("sealift_http_connections_open", "gauge", "Connections now.", statistics_.connections_open.load());
  add("sealift_http_connections_total", "counter", "Connections accepted.",
      statistics_.connections_total.load());
  add("sealift_http_connections_refused_total", "counter", "Connections over the limit.",
      statistics_.connections_refused.load());
  add("sealift_http_connections_timed_out_total", "counter", "Connections ended for being too slow.",
      statistics_.connections_timed_out.load());
  add("sealift_http_decompressing", "gauge", "Answers being decompressed now.", statistics_.expanding.load());
  add("sealift_tls_handshake_failures_total", "counter", "Failed TLS handshakes.",
      statistics_.tls_handshake_failures.load());

  const auto reports = verification_.reports();
  metric(out, "sealift_bundle_verified", "gauge",
         "1 once every byte of the bundle was checked, -1 when it is damaged, else 0.");
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const auto state = reports[i].state;
    const int value = state == VerificationState::complete || state == VerificationState::remembered ? 1
                      : state == VerificationState::failed                                           ? -1
                                                                                                     : 0;
    fmt::format_to(std::back_inserter(out), "sealift_bundle_verified{{file=\"{}\"}} {}\n",
                   label(overlay_.bundles()[i]->path().filename().string()), value);
  }
  metric(out, "sealift_bundle_verified_bytes", "gauge", "Bytes checked by the background verification.");
  for (std::size_t i = 0; i < reports.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "sealift_bundle_verified_bytes{{file=\"{}\"}} {}\n",
                   label(overlay_.bundles()[i]->path().filename().string()), reports[i].bytes_done);
  }
  add("sealift_start_time_seconds", "gauge", "When the server started.",
      std::chrono::duration_cast<std::chrono::seconds>(statistics_.started.time_since_epoch()).count());
  fmt::format_to(std::back_inserter(out),
                 "# HELP sealift_build_info The version.\n# TYPE sealift_build_info "
                 "gauge\nsealift_build_info{{version=\"{}\"}} 1\n",
                 kSealiftVersion);
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = std::move(out);
  return response;
}

}  // namespace sealift::repo_server
