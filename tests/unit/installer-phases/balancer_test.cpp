// Who balances to whom, and who holds the address.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_plan.hpp"

namespace sealift::installer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// nginx.conf as the task writes it.
std::string balanced(const Task* task) {
  if (task == nullptr) return "";
  const auto steps = task->make_steps ? task->make_steps(Outputs()).value() : task->steps;
  return std::get<WriteFile>(find_step(steps, "nginx")->action).content;
}

TEST(MakePlanBalancer, BalancesToAnApiServerOnceItIsReady) {
  SampleSite sample = sample_site();
  const Plan first = plan_of(make_sample(sample));
  EXPECT_THAT(balanced(find_task(first, "balancer/m3")),
              AllOf(HasSubstr("192.168.2.11:6443"), Not(HasSubstr("192.168.2.12:6443"))));
  EXPECT_THAT(balanced(find_task(first, "join/m3/balancer-m2")),
              AllOf(HasSubstr("192.168.2.12:6443"), Not(HasSubstr("192.168.2.13:6443"))));
  EXPECT_THAT(find_task(first, "join/m3/balancer-m2")->after, Contains("join/m1/ready-m2"));
  EXPECT_THAT(find_task(first, "join/m1/ready-m2")->after, Contains("join/m2"));
  EXPECT_THAT(balanced(find_task(first, "join/m3/balancer-m3")), HasSubstr("192.168.2.13:6443"));
  sample = installed();
  sample.facts("m3").paths[kMemberMark] = false;
  EXPECT_THAT(balanced(find_task(plan_of(make_sample(sample)), "balancer/m1")),
              AllOf(HasSubstr("192.168.2.12:6443"), Not(HasSubstr("192.168.2.13:6443"))));
}

TEST(MakePlanBalancer, LetsTheNextRunReloadABalancerThatWasKilledBeforeItsReload) {
  const Plan plan = plan_of(make_sample(sample_site()));
  const auto joined = find_task(plan, "join/m3/balancer-m2")->make_steps(Outputs()).value();
  const Step* file = find_step(joined, "nginx");
  const Step* service = find_step(find_task(plan, "balancer/m3")->steps, "nginx-service");
  // The file's step is the one that the next run's service looks at.
  EXPECT_THAT(std::get<SystemdUnit>(service->action).reload_on, ElementsAre(file->id));
  EXPECT_EQ(find_step(joined, "nginx-service")->id, service->id);
}

TEST(MakePlanBalancer, EndsOnlyWhenOneBalancerHoldsTheAddress) {
  const Plan plan = plan_of(make_sample(sample_site()));
  EXPECT_THAT(find_task(plan, "verify/deploy/kubeconfig")->after, Contains("verify/m1/one-address"));
  const auto holders = [&](const std::map<std::string, std::string>& told) {
    Outputs outputs;
    outputs.set("verify/m1/members", "{}");
    for (const char* host : {"m1", "m2", "m3"}) {
      const auto found = told.find(host);
      outputs.set(std::string("verify/") + host + "/address", found == told.end() ? "" : found->second);
    }
    const auto made = find_task(plan, "verify/m1/one-address")->make_steps(outputs);
    return made ? std::string("well") : made.error().message();
  };
  EXPECT_EQ(holders({{"m2", "2: eth0 inet 192.168.2.100/32"}}), "well");
  EXPECT_THAT(holders({}), HasSubstr("is on no host"));
  EXPECT_EQ(find_task(plan, "verify/m1/one-address")->make_steps(Outputs()).error().code(),
            ErrorCode::precondition);  // not known yet
  EXPECT_THAT(holders({{"m1", "2: eth0"}, {"m3", "2: eth0"}}),
              AllOf(HasSubstr("192.168.2.100 is on m1, m3"), HasSubstr("between m1, m2, m3")));
}

TEST(MakePlanBalancer, GivesEveryBalancerAnotherPriorityAndTheSameRouter) {
  const Plan plan = plan_of(make_sample(sample_site()));
  std::set<std::string> priorities;
  for (const char* host : {"m1", "m2", "m3"}) {
    const auto& file = std::get<WriteFile>(
        find_step(find_task(plan, "balancer/" + std::string(host))->steps, "keepalived")->action);
    const std::size_t at = file.content.find("  priority ");
    priorities.insert(file.content.substr(at, file.content.find('\n', at) - at));
    EXPECT_THAT(file.content, HasSubstr("virtual_router_id 100\n"));
    EXPECT_THAT(file.content, HasSubstr("192.168.2.100/32 dev eth0"));
  }
  EXPECT_EQ(priorities.size(), 3U);
}

}  // namespace
}  // namespace sealift::installer
