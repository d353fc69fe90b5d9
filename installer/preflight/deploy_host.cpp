#include "installer/plan/supply.hpp"
#include "installer/preflight/preflight.hpp"

namespace sealift::installer {

void check_deploy_host(const PreflightInput& input, const Facts& facts, std::vector<Finding>& findings) {
  if (facts.uid != 0)
    findings.push_back({Severity::error, input.deploy, "root",
                        "the deploy host's part of the installation needs root", "run it as root"});
  if (!facts.journal_error.empty() && input.cluster.find(input.deploy) == nullptr)
    findings.push_back({Severity::error, input.deploy, "journal",
                        "what Sealift did here cannot be read: " + facts.journal_error,
                        "bring that file back from a copy"});
  if (!facts.journal_cluster_name.empty() && facts.journal_cluster_name != input.cluster.name)
    findings.push_back(
        {Severity::error, input.deploy, "other-cluster",
         fmt::format("this deploy host serves the cluster '{}' (id {})", facts.journal_cluster_name,
                     facts.journal_cluster_id),
         fmt::format("install '{}' from another host: one mirror serves one cluster", input.cluster.name)});
  if (input.cluster.find(input.deploy) == nullptr) check_firewalls(input, input.deploy, facts, findings);
  for (const ListenerFact& listener : facts.listeners)
    if (listener.protocol.starts_with("tcp") && (listener.port == 5000 || listener.port == 12480) &&
        !(listener.program == "sealift" && facts.journal_cluster_name == input.cluster.name))
      findings.push_back({Severity::error, input.deploy, "port",
                          fmt::format("port {} is in use by {}; the mirror needs it", listener.port,
                                      listener.program.empty() ? "another program" : listener.program),
                          "stop it"});
}

}  // namespace sealift::installer
