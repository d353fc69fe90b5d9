#include "repo-server/http/content_coding.hpp"

#include <gtest/gtest.h>

namespace sealift::repo_server::http {
namespace {

TEST(AdmitsZstd, WhenItIsNamed) {
  for (const char* header :
       {"zstd", "gzip, zstd", "gzip,deflate , ZSTD", "br;q=1.0, zstd;q=0.001", "zstd ; q=1", "zstd;q=1.000",
        "zstd;q=0.5, gzip;q=1", "zstd;q=.5, zstd", ", ,zstd,", "zstd;level=3", "zstd, identity",
        "identity;q=0.5, zstd;q=0.5", "identity;q=0, zstd;q=0.1", "zstd; Q=1"}) {
    EXPECT_TRUE(admits_zstd(header)) << header;
  }
}

TEST(AdmitsZstd, NotWhenItIsRefusedOrNotNamed) {
  for (const char* header :
       {"", "gzip", "*", "*;q=1", "zstd;q=0", "zstd;q=0.0", "zstd;q=0.000", "gzip, zstd ;q=0", "zstd;Q=0",
        "xzstd", "zstdx", "zst", "identity, zstd;q=0.5", "zstd;q=0.4, identity;q=0.5"}) {
    EXPECT_FALSE(admits_zstd(header)) << header;
  }
}

TEST(AdmitsZstd, NotWithAMalformedWeight) {
  for (const char* header : {"zstd;q=", "zstd;q", "zstd;q=2", "zstd;q=1.001", "zstd;q=0.0001", "zstd;q=-1",
                             "zstd;q=1x", "zstd;q=a", "zstd;q=0,5"}) {
    EXPECT_FALSE(admits_zstd(header)) << header;
  }
}

}  // namespace
}  // namespace sealift::repo_server::http
