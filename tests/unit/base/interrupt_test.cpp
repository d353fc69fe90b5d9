#include "lib/base/interrupt.hpp"

#include <chrono>
#include <csignal>

#include <gtest/gtest.h>
#include <poll.h>

namespace sealift {
namespace {

bool becomes_requested(const std::stop_token& token) {
  for (int tries = 0; tries < 1000 && !token.stop_requested(); ++tries) ::poll(nullptr, 0, 10);
  return token.stop_requested();
}

TEST(Interrupts, TheFirstSignalIsARequestAndTheNextEndsTheProgram) {
  for (const int number : {SIGINT, SIGTERM}) {
    const auto interrupts = Interrupts::watch();
    ASSERT_TRUE(interrupts);
    EXPECT_FALSE(interrupts->token().stop_requested());
    ASSERT_EQ(std::raise(number), 0);
    EXPECT_TRUE(becomes_requested(interrupts->token()));
    struct sigaction next {};
    ASSERT_EQ(::sigaction(number, nullptr, &next), 0);
    EXPECT_EQ(next.sa_handler, SIG_DFL);
  }
}

TEST(Interrupts, AfterwardsSignalsAreAsBefore) {
  std::stop_token token;
  {
    const auto interrupts = Interrupts::watch();
    ASSERT_TRUE(interrupts);
    token = interrupts->token();
  }
  EXPECT_FALSE(token.stop_requested());
  struct sigaction now {};
  ASSERT_EQ(::sigaction(SIGINT, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(Interrupts, WhatWasIgnoredStaysIgnored) {
  ASSERT_EQ(std::signal(SIGINT, SIG_IGN), SIG_DFL);
  {
    const auto interrupts = Interrupts::watch();
    ASSERT_TRUE(interrupts);
    ASSERT_EQ(std::raise(SIGINT), 0);
    EXPECT_FALSE(interrupts->token().stop_requested());
    ASSERT_EQ(std::raise(SIGTERM), 0);
    EXPECT_TRUE(becomes_requested(interrupts->token()));
  }
  EXPECT_EQ(std::signal(SIGINT, SIG_DFL), SIG_IGN);
}

}  // namespace
}  // namespace sealift
