#include <csignal>
#include <cstdio>
#include <cstring>

#include <gtest/gtest.h>

#include "installer/host/agent.hpp"

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "agent") == 0) {
    sealift::installer::AgentOptions options;
    if (argc > 3 && std::strcmp(argv[2], "--root") == 0) options.root = argv[3];
    const auto status = sealift::installer::serve_agent(options);
    if (!status) std::fprintf(stderr, "%s\n", status.error().message().c_str());
    return status ? 0 : 1;
  }
  std::signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
