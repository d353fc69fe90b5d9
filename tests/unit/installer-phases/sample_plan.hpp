/// Plans of the sample site, and a way to look into them.
#pragma once

#include <string>
#include <vector>

#include "installer/phases/phases.hpp"
#include "sample_site.hpp"

namespace sealift::installer {

/// As preflight left it.
Site make_sample(SampleSite sample);
/// All hosts are members.
SampleSite installed();
/// A plan that holds together: expects so.
Plan plan_of(const Site& site);

/// Null when there is none of that name.
const Task* find_task(const Plan& plan, const std::string& id);
/// By the part of its id after the last slash; null when there is none.
const Step* find_step(const std::vector<Step>& steps, const std::string& name);
/// The steps that make `host` a member, as they are once the first control plane stands.
std::vector<Step> joined_steps(const Plan& plan, const std::string& host);

}  // namespace sealift::installer
