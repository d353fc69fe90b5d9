#include "lib/base/clock.hpp"

#include <gtest/gtest.h>

namespace sealift {
namespace {

TEST(Clock, FormatsAndParsesRfc3339) {
  const Timestamp time = *parse_rfc3339("2026-11-20T23:12:09Z");
  EXPECT_EQ(format_rfc3339(time), "2026-11-20T23:12:09Z");
  EXPECT_EQ(time.time_since_epoch().count(), 1795216329);
}

TEST(Clock, RejectsOtherForms) {
  for (const char* text :
       {"", "2026-11-20", "2026-11-20T23:12:09", "2026-13-20T23:12:09Z", "2026-02-30T00:00:00Z",
        "2026-11-20T24:00:00Z", "2026-11-20T23:12:-9Z", "2026-11-20 23:12:09Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Clock, ReadsWhatDebianAndHttpWrite) {
  EXPECT_EQ(format_rfc3339(*parse_rfc5322("Sat, 17 May 2025 10:00:00 UTC")), "2025-05-17T10:00:00Z");
  EXPECT_EQ(format_rfc3339(*parse_rfc5322("Tue,  3 Jun 2025  8:05:09 GMT")), "2025-06-03T08:05:09Z");
  EXPECT_EQ(format_rfc5322(*parse_rfc3339("2026-11-20T23:12:00Z"), "GMT"), "Fri, 20 Nov 2026 23:12:00 GMT");
}

TEST(Clock, RejectsDatesOfOtherZonesAndNonsense) {
  for (const char* text :
       {"", "Sat, 17 May 2025 10:00:00 CEST", "Sat, 17 Mai 2025 10:00:00 UTC", "17 May 2025 10:00:00 UTC",
        "Sat, 17 May 2025 1000 UTC", "Sat, 99 May 2025 10:00:00 UTC", "a b c d e f g h"}) {
    EXPECT_FALSE(parse_rfc5322(text)) << text;
  }
}

}  // namespace
}  // namespace sealift
