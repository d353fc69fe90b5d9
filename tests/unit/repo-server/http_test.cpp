#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repo-server/http/range.hpp"
#include "repo-server/http/request_parser.hpp"
#include "repo-server/http/respond.hpp"
#include "repo-server/http/target.hpp"

namespace sealift::repo_server::http {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kDate = "Fri, 20 Nov 2026 12:00:00 GMT";

std::variant<Request, BadRequest> parse(const std::string& head) { return parse_request_head(head); }

int status_of(const std::variant<Request, BadRequest>& parsed) {
  const auto* bad = std::get_if<BadRequest>(&parsed);
  return bad == nullptr ? 0 : bad->status;
}

TEST(DecideRange, TakesFirstAndLast) {
  const auto decision = decide_range("bytes=2-5", 10);
  EXPECT_EQ(decision.kind, RangeKind::partial);
  EXPECT_EQ(decision.range, (ByteRange{2, 4}));
}

TEST(DecideRange, TakesOpenEnd) { EXPECT_EQ(decide_range("bytes=4-", 10).range, (ByteRange{4, 6})); }
TEST(DecideRange, CutsAtTheEnd) {
  EXPECT_EQ(decide_range("bytes=4-4000000000", 10).range, (ByteRange{4, 6}));
}
TEST(DecideRange, TakesSuffix) { EXPECT_EQ(decide_range("bytes=-3", 10).range, (ByteRange{7, 3})); }
TEST(DecideRange, TakesSuffixLongerThanContentAsAll) {
  EXPECT_EQ(decide_range("bytes=-300", 10).range, (ByteRange{0, 10}));
}
TEST(DecideRange, TakesSingleLastByte) { EXPECT_EQ(decide_range("bytes=9-9", 10).range, (ByteRange{9, 1})); }
TEST(DecideRange, RefusesStartPastTheEnd) {
  EXPECT_EQ(decide_range("bytes=10-", 10).kind, RangeKind::unsatisfiable);
}
TEST(DecideRange, RefusesEmptySuffix) {
  EXPECT_EQ(decide_range("bytes=-0", 10).kind, RangeKind::unsatisfiable);
}
TEST(DecideRange, RefusesAnyRangeOfNothing) {
  EXPECT_EQ(decide_range("bytes=0-", 0).kind, RangeKind::unsatisfiable);
}
TEST(DecideRange, RefusesNumberPast64Bits) {
  EXPECT_EQ(decide_range("bytes=99999999999999999999-", 10).kind, RangeKind::unsatisfiable);
}

TEST(DecideRange, IgnoresWhatNeedNotBeHonoured) {
  for (const char* header : {"bytes=0-1,4-5", "items=0-1", "bytes=5-2", "bytes=a-b", "bytes=", "bytes=-",
                             "bytes", "bytes=1 -2", ""}) {
    EXPECT_EQ(decide_range(header, 10).kind, RangeKind::whole) << header;
  }
}

TEST(MatchesEtag, FindsItInAList) {
  EXPECT_TRUE(matches_etag("\"a\", W/\"b\"", "\"b\""));
  EXPECT_TRUE(matches_etag("*", "\"b\""));
  EXPECT_FALSE(matches_etag("\"a\",\"c\"", "\"b\""));
  EXPECT_FALSE(matches_etag("*", ""));
}

TEST(ParseTarget, DecodesExactlyOnce) {
  const auto target = parse_target("/pool/g%2b%2b_1%3a2%7e3%2541.deb?x=%41");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/pool/g++_1:2~3%41.deb");
  EXPECT_EQ(target->query, "x=%41");
}

TEST(ParseTarget, AcceptsAbsoluteForm) { EXPECT_EQ(parse_target("http://mirror:5000/v2/")->path, "/v2/"); }

TEST(ParseTarget, RefusesWhatLeavesTheTree) {
  for (const char* target : {"/../etc/passwd", "/a/../../b", "/a/%2e%2e/b", "/a/.", "/a%00b", "/a%0d%0ab",
                             "/a%2", "/a%zz", "a/b", ""}) {
    EXPECT_FALSE(parse_target(target)) << target;
  }
}

TEST(EscapeHtml, LeavesNothingToInject) {
  EXPECT_EQ(escape_html("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
}

TEST(EscapeLog, KeepsOneLine) { EXPECT_EQ(escape_log("a\n\"b\"\x7f"), "a\\x0a\\x22b\\x22\\x7f"); }

TEST(QueryValue, FindsFirstAndDecodes) {
  Request request;
  request.query = "n=5&ns=registry.k8s.io%3A443&ns=other&flag&a+b=c+d";
  EXPECT_EQ(request.query_value("ns"), "registry.k8s.io:443");
  EXPECT_EQ(request.query_value("flag"), "");
  EXPECT_EQ(request.query_value("a b"), "c d");
  EXPECT_EQ(request.query_value("absent"), std::nullopt);
}

TEST(ParseRequestHead, ReadsWhatHandlersNeed) {
  const auto parsed = parse("GET /v2/a?n=1 HTTP/1.1\r\nHost: h:1\r\nRange: bytes=0-1\r\nAccept: x\r\n\r\n");
  ASSERT_TRUE(std::holds_alternative<Request>(parsed));
  const auto& request = std::get<Request>(parsed);
  EXPECT_EQ(request.method, Method::get);
  EXPECT_EQ(request.path, "/v2/a");
  EXPECT_EQ(request.query, "n=1");
  EXPECT_EQ(request.host, "h:1");
  EXPECT_EQ(request.range, "bytes=0-1");
  EXPECT_TRUE(request.keep_alive);
  EXPECT_FALSE(request.has_body);
}

TEST(ParseRequestHead, SeesAnnouncedBodies) {
  EXPECT_TRUE(std::get<Request>(parse("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")).has_body);
  EXPECT_TRUE(
      std::get<Request>(parse("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")).has_body);
  EXPECT_FALSE(std::get<Request>(parse("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")).has_body);
}

TEST(ParseRequestHead, RefusesSmuggling) {
  EXPECT_EQ(status_of(parse(
                "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n")),
            400);
  EXPECT_EQ(status_of(parse("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n")),
            400);
  EXPECT_EQ(status_of(parse("GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n")), 400);
  EXPECT_EQ(status_of(parse("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n")), 400);
}

TEST(ParseRequestHead, RefusesBodiesWhoseEndNobodyKnows) {
  const auto with = [](const std::string& headers) {
    return parse("GET / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
  };
  for (const char* coding : {"gzip", "xchunked", "chunked, identity", "identity", "", "\"chunked\""}) {
    EXPECT_EQ(status_of(with(fmt::format("Transfer-Encoding: {}\r\n", coding))), 400) << coding;
  }
  EXPECT_EQ(status_of(with("Transfer-Encoding: gzip\r\nContent-Length: 3\r\n")), 400);
  EXPECT_EQ(status_of(with("Content-Length: 0\r\nTransfer-Encoding: gzip\r\n")), 400);
  EXPECT_EQ(status_of(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")), 400);
  // Here the end is known, and the connection is closed after the answer.
  EXPECT_TRUE(std::get<Request>(with("Transfer-Encoding: gzip, Chunked\r\n")).has_body);
  EXPECT_TRUE(std::get<Request>(with("Transfer-Encoding: chunked;q=1\r\n")).has_body);
}

TEST(ParseRequestHead, RefusesMalformedHeads) {
  EXPECT_EQ(status_of(parse("GET / HTTP/1.1\r\n\r\n")), 400);
  EXPECT_EQ(status_of(parse("GET /\r\n\r\n")), 400);
  EXPECT_EQ(status_of(parse("GET / HTTP/2.0\r\nHost: h\r\n\r\n")), 505);
  EXPECT_EQ(status_of(parse("GET  / HTTP/1.1\r\nHost: h\r\n\r\n")), 400);
  EXPECT_EQ(status_of(parse("GET /../x HTTP/1.1\r\nHost: h\r\n\r\n")), 400);
  EXPECT_EQ(status_of(parse("GET / HTTP/1.1\r\nHost : h\r\n\r\n")), 400);
}

TEST(ParseRequestHead, ClosesByDefaultWithHttp10) {
  EXPECT_FALSE(std::get<Request>(parse("GET / HTTP/1.0\r\n\r\n")).keep_alive);
  EXPECT_TRUE(std::get<Request>(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")).keep_alive);
}

TEST(FindHeadEnd, FindsAnEndThatArrivesInPieces) {
  EXPECT_EQ(find_head_end("GET / HTTP/1.1\r\n\r", 0), 0U);
  EXPECT_EQ(find_head_end("GET / HTTP/1.1\r\n\r\nrest", 17), 18U);
}

Response ten_bytes() {
  Response response = text_response(200, "");
  response.body = "0123456789";
  response.etag = "\"e\"";
  response.accepts_ranges = true;
  response.last_modified = *parse_rfc3339("2026-11-20T12:00:00Z");
  return response;
}

TEST(ParseRequest, JoinsSeveralAcceptEncodingLines) {
  const auto parsed =
      parse("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nAccept-Encoding: zstd;q=0\r\n\r\n");
  ASSERT_NE(std::get_if<Request>(&parsed), nullptr);
  EXPECT_EQ(std::get<Request>(parsed).accept_encoding, "gzip,zstd;q=0");
}

TEST(PrepareResponse, SendsAPartWith206) {
  Request request;
  request.range = "bytes=2-3";
  const auto prepared = prepare_response(request, ten_bytes(), kDate, true);
  EXPECT_EQ(prepared->status, 206);
  EXPECT_EQ(prepared->text, "23");
  EXPECT_THAT(prepared->head, HasSubstr("Content-Range: bytes 2-3/10\r\n"));
  EXPECT_THAT(prepared->head, HasSubstr("Content-Length: 2\r\n"));
}

TEST(PrepareResponse, Answers416WithTheSizeAndNoBody) {
  Request request;
  request.range = "bytes=10-";
  const auto prepared = prepare_response(request, ten_bytes(), kDate, true);
  EXPECT_EQ(prepared->status, 416);
  EXPECT_EQ(prepared->text, "");
  EXPECT_THAT(prepared->head, HasSubstr("Content-Range: bytes */10\r\n"));
  EXPECT_THAT(prepared->head, HasSubstr("Content-Length: 0\r\n"));
}

TEST(PrepareResponse, IgnoresTheRangeOfHead) {
  Request request;
  request.method = Method::head;
  for (const char* range : {"bytes=2-3", "bytes=10-"}) {
    request.range = range;
    const auto prepared = prepare_response(request, ten_bytes(), kDate, true);
    EXPECT_EQ(prepared->status, 200);
    EXPECT_THAT(prepared->head, HasSubstr("Content-Length: 10\r\n"));
    EXPECT_THAT(prepared->head, Not(HasSubstr("Content-Range")));
  }
}

TEST(PrepareResponse, IgnoresTheRangeWhenIfRangeNamesAnother) {
  Request request;
  request.range = "bytes=2-3";
  request.if_range = "\"other\"";
  EXPECT_EQ(prepare_response(request, ten_bytes(), kDate, true)->status, 200);
  request.if_range = "\"e\"";
  EXPECT_EQ(prepare_response(request, ten_bytes(), kDate, true)->status, 206);
}

TEST(PrepareResponse, Answers304WithoutLength) {
  Request request;
  request.if_none_match = "\"x\", \"e\"";
  const auto prepared = prepare_response(request, ten_bytes(), kDate, true);
  EXPECT_EQ(prepared->status, 304);
  EXPECT_EQ(prepared->text, "");
  EXPECT_THAT(prepared->head, Not(HasSubstr("Content-Length")));
  request.if_none_match.clear();
  request.if_modified_since = "Fri, 20 Nov 2026 12:00:00 GMT";
  EXPECT_EQ(prepare_response(request, ten_bytes(), kDate, true)->status, 304);
}

TEST(PrepareResponse, RangesOfADecompressedBodyCountItsOwnBytes) {
  Request request;
  request.range = "bytes=200-";
  Response response;
  response.accepts_ranges = true;
  response.etag = "\"e\"";
  response.expanded = ZstdBody{{nullptr, 4096, 50}, 1000, 0, 1000};
  const auto prepared = prepare_response(request, response, kDate, true);
  EXPECT_EQ(prepared->status, 206);
  EXPECT_THAT(prepared->head, HasSubstr("Content-Range: bytes 200-999/1000\r\n"));
  EXPECT_THAT(prepared->head, HasSubstr("Content-Length: 800\r\n"));
  ASSERT_TRUE(prepared->expanded);
  EXPECT_EQ(prepared->expanded->first, 200U);
  EXPECT_EQ(prepared->body_size(), 800U);
  request.method = Method::head;
  EXPECT_FALSE(prepare_response(request, response, kDate, true)->expanded);
}

TEST(PrepareResponse, SaysTheEncodingOnlyWhereThereIsContent) {
  Request request;
  Response response = ten_bytes();
  response.content_encoding = "zstd";
  EXPECT_THAT(prepare_response(request, response, kDate, true)->head,
              HasSubstr("Content-Encoding: zstd\r\n"));
  request.range = "bytes=10-";
  EXPECT_THAT(prepare_response(request, response, kDate, true)->head, Not(HasSubstr("Content-Encoding")));
}

TEST(PrepareResponse, LeavesTheBodyOutOfHeadButSaysItsLength) {
  Request request;
  request.method = Method::head;
  const auto prepared = prepare_response(request, ten_bytes(), kDate, false);
  EXPECT_EQ(prepared->text, "");
  EXPECT_THAT(prepared->head, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(prepared->head, HasSubstr("Connection: close\r\n"));
}

}  // namespace
}  // namespace sealift::repo_server::http
