/// The rules between the values of cluster.yaml; each value alone has been checked by the parser.
#pragma once

#include <string>

#include "installer/inventory/cluster.hpp"

namespace sealift::installer {

/// Places of values that several rules complain about.
struct ClusterPlaces {
  std::string endpoint;  ///< of endpoint.address
  std::string port;      ///< of endpoint.port, or of endpoint
  std::string pods;
  std::string services;
  std::string hosts;
};

/// Fails for contradictions, adds to cluster.warnings what is merely unwise.
Status validate(Cluster& cluster, const ClusterPlaces& places);

}  // namespace sealift::installer
