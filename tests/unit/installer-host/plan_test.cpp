#include "installer/apply/plan.hpp"

#include <gtest/gtest.h>

#include "installer/apply/order.hpp"

namespace sealift::installer {
namespace {

Step step(const std::string& id) { return {id, SwapOff{}, ""}; }

Plan two_hosts() {
  Plan plan{.cluster_name = "c", .cluster_id = "i", .phases = {{"prepare", ""}, {"join", ""}}, .tasks = {}};
  plan.tasks = {
      {.id = "prepare/a", .phase = "prepare", .host = "a", .steps = {step("prepare/a/x")}},
      {.id = "prepare/b", .phase = "prepare", .host = "b", .steps = {step("prepare/b/x")}},
      {.id = "join/a", .phase = "join", .host = "a", .after = {"phase:prepare"}, .steps = {step("join/a/x")}},
      {.id = "join/b", .phase = "join", .host = "b", .after = {"join/a"}, .steps = {step("join/b/x")}}};
  return plan;
}

TEST(TaskDependencies, FollowLanesTasksAndPhases) {
  const auto order = task_dependencies(two_hosts());
  ASSERT_TRUE(order);
  EXPECT_EQ(*order, (std::vector<std::vector<std::size_t>>{{}, {}, {0, 1}, {1, 2}}));
}

TEST(CheckPlan, AcceptsAGoodOne) { EXPECT_TRUE(check_plan(two_hosts(), {"a", "b"})); }

TEST(CheckPlan, RefusesMistakes) {
  EXPECT_FALSE(check_plan(two_hosts(), {"a"})) << "unknown host";
  Plan plan = two_hosts();
  plan.tasks[1].id = "prepare/a";
  EXPECT_FALSE(check_plan(plan, {"a", "b"})) << "same task twice";
  plan = two_hosts();
  plan.tasks[3].steps[0].id = "join/a/x";
  EXPECT_FALSE(check_plan(plan, {"a", "b"})) << "same step twice";
  plan = two_hosts();
  plan.tasks[0].after = {"join/b"};
  EXPECT_FALSE(check_plan(plan, {"a", "b"})) << "cycle";
  plan = two_hosts();
  plan.tasks[0].after = {"nowhere"};
  EXPECT_FALSE(check_plan(plan, {"a", "b"})) << "unknown task";
  plan = two_hosts();
  plan.tasks[3].steps[0].action = SystemdUnit{.unit = "x.service", .restart_on = {"prepare/a/x"}};
  EXPECT_FALSE(check_plan(plan, {"a", "b"})) << "restart for another host's change";
}

TEST(Outputs, AbsentOnesAreNotKnownYet) {
  Outputs outputs;
  EXPECT_EQ(outputs.get("a").error().code(), ErrorCode::precondition);
  outputs.set("a", "v");
  EXPECT_EQ(*outputs.get("a"), "v");
}

}  // namespace
}  // namespace sealift::installer
