#include <limits>
#include <type_traits>

#include "installer/host/facts.hpp"

namespace sealift::installer {

namespace {

template <typename Visitor>
void fields(Visitor& visit, AddressPort& value) {
  visit("address", value.address);
  visit("port", value.port);
}
template <typename Visitor>
void fields(Visitor& visit, FactsRequest& value) {
  visit("packages", value.packages);
  visit("modules", value.modules);
  visit("paths", value.paths);
  visit("steps", value.steps);
  visit("reach", value.reach);
  visit("claims", value.claims);
  visit("vrrpListenMs", value.vrrp_listen_ms);
}
template <typename Visitor>
void fields(Visitor& visit, DiskFact& value) {
  visit("path", value.path);
  visit("totalBytes", value.total_bytes);
  visit("freeBytes", value.free_bytes);
}
template <typename Visitor>
void fields(Visitor& visit, InterfaceAddress& value) {
  visit("interface", value.interface);
  visit("address", value.address);
  visit("prefix", value.prefix);
}
template <typename Visitor>
void fields(Visitor& visit, InterfaceFact& value) {
  visit("name", value.name);
  visit("mac", value.mac);
  visit("up", value.up);
  visit("physical", value.physical);
}
template <typename Visitor>
void fields(Visitor& visit, RouteFact& value) {
  visit("destination", value.destination);
  visit("gateway", value.gateway);
  visit("interface", value.interface);
}
template <typename Visitor>
void fields(Visitor& visit, ListenerFact& value) {
  visit("protocol", value.protocol);
  visit("address", value.address);
  visit("port", value.port);
  visit("program", value.program);
  visit("pid", value.pid);
}
template <typename Visitor>
void fields(Visitor& visit, ClaimFact& value) {
  visit("address", value.address);
  visit("probed", value.probed);
  visit("own", value.own);
  visit("answeredBy", value.answered_by);
}
template <typename Visitor>
void fields(Visitor& visit, VrrpFact& value) {
  visit("source", value.source);
  visit("routerId", value.router_id);
  visit("priority", value.priority);
  visit("version", value.version);
  visit("addresses", value.addresses);
}
template <typename Visitor>
void fields(Visitor& visit, ReachFact& value) {
  visit("target", value.target);
  visit("reachable", value.reachable);
  visit("refused", value.refused);
  visit("error", value.error);
}
template <typename Visitor>
void fields(Visitor& visit, SwapFact& value) {
  visit("name", value.name);
  visit("sizeBytes", value.size_bytes);
}
template <typename Visitor>
void fields(Visitor& visit, Facts& value) {
  visit("hostname", value.hostname);
  visit("osRelease", value.os_release);
  visit("kernel", value.kernel);
  visit("kernelConfig", value.kernel_config);
  visit("machine", value.machine);
  visit("dpkgArchitecture", value.dpkg_architecture);
  visit("cpus", value.cpus);
  visit("memoryBytes", value.memory_bytes);
  visit("disks", value.disks);
  visit("productUuid", value.product_uuid);
  visit("machineId", value.machine_id);
  visit("interfaces", value.interfaces);
  visit("addresses", value.addresses);
  visit("routes", value.routes);
  visit("resolvConf", value.resolv_conf);
  visit("nameservers", value.nameservers);
  visit("swaps", value.swaps);
  visit("fstabSwaps", value.fstab_swaps);
  visit("cgroupVersion", value.cgroup_version);
  visit("cgroupControllers", value.cgroup_controllers);
  visit("clockUnixNs", value.clock_unix_ns);
  visit("listeners", value.listeners);
  visit("modules", value.modules);
  visit("kubernetesFiles", value.kubernetes_files);
  visit("apiServerVersion", value.api_server_version);
  visit("apiUrl", value.api_url);
  visit("podRange", value.pod_range);
  visit("serviceRange", value.service_range);
  visit("runtimes", value.runtimes);
  visit("firewalls", value.firewalls);
  visit("selinux", value.selinux);
  visit("apparmor", value.apparmor);
  visit("packages", value.packages);
  visit("systemdVersion", value.systemd_version);
  visit("dhcp", value.dhcp);
  visit("uid", value.uid);
  visit("paths", value.paths);
  visit("journalClusterName", value.journal_cluster_name);
  visit("journalClusterId", value.journal_cluster_id);
  visit("journalError", value.journal_error);
  visit("newestStep", value.newest_step);
  visit("routerId", value.router_id);
  visit("claims", value.claims);
  visit("vrrp", value.vrrp);
  visit("reach", value.reach);
}

template <typename T>
concept Map = requires {
  typename T::mapped_type;
};
template <typename T>
concept List = requires(T list) {
  list.push_back({});
}
&&!std::is_same_v<T, std::string>;

class Writer {
 public:
  template <typename T>
  void operator()(std::string_view key, T& value) {
    object_[key] = convert(value);
  }
  template <typename T>
  static json::Value convert(const T& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T>) {
      return json::Value(value);
    } else if constexpr (Map<T>) {
      json::Object map;
      for (const auto& [name, item] : value) map[name] = convert(item);
      return map;
    } else if constexpr (List<T>) {
      json::Array array;
      for (const auto& item : value) array.push_back(convert(item));
      return array;
    } else {
      Writer writer;
      T copy = value;  // the field lists serve both directions and take references
      fields(writer, copy);
      return std::move(writer.object_);
    }
  }

 private:
  json::Object object_;
};

class Filler {
 public:
  Filler(const json::Object& object, std::string path) : object_(&object), path_(std::move(path)) {}

  template <typename T>
  void operator()(std::string_view key, T& value) {
    const json::Value* found = object_->if_contains(key);
    if (!status_ || found == nullptr) return;
    status_ = read(*found, value, fmt::format("{}.{}", path_, key));
  }
  template <typename T>
  static Status read(const json::Value& from, T& to, const std::string& path) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (!from.is_string()) return wrong(path, "a string");
      to = std::string(from.get_string());
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!from.is_bool()) return wrong(path, "true or false");
      to = from.get_bool();
    } else if constexpr (std::is_integral_v<T>) {
      boost::system::error_code error;
      const T number = from.to_number<T>(error);
      if (error) return wrong(path, fmt::format("a whole number up to {}", std::numeric_limits<T>::max()));
      to = number;
    } else if constexpr (Map<T>) {
      if (!from.is_object()) return wrong(path, "an object");
      for (const auto& item : from.get_object()) {
        TRY(read(item.value(), to[std::string(item.key())],
                 fmt::format("{}.{}", path, std::string(item.key()))));
      }
    } else if constexpr (List<T>) {
      if (!from.is_array()) return wrong(path, "an array");
      for (const json::Value& value : from.get_array()) {
        typename T::value_type item{};
        TRY(read(value, item, fmt::format("{}[{}]", path, to.size())));
        to.push_back(std::move(item));
      }
    } else {
      if (!from.is_object()) return wrong(path, "an object");
      Filler filler(from.get_object(), path);
      fields(filler, to);
      return filler.status_;
    }
    return {};
  }

 private:
  static tl::unexpected<Error> wrong(const std::string& path, std::string_view expected) {
    return fail(ErrorCode::integrity, "{}: expected {}", path, expected);
  }

  const json::Object* object_;
  std::string path_;
  Status status_;
};

}  // namespace

json::Value to_json(const FactsRequest& request) { return Writer::convert(request); }
json::Value to_json(const Facts& facts) { return Writer::convert(facts); }

Result<FactsRequest> facts_request_from_json(const json::Value& value) {
  FactsRequest request;
  TRY(Filler::read(value, request, "request"));
  // A person's cluster has tens of hosts and ports; more is not a sensible question to one host.
  if (request.reach.size() > 1000 || request.claims.size() > 64 || request.packages.size() > 10000 ||
      request.paths.size() > 10000 || request.modules.size() > 1000 || request.steps.size() > 1000 ||
      request.vrrp_listen_ms > 60000) {
    return fail(ErrorCode::integrity, "the facts request asks for too much");
  }
  return request;
}

Result<Facts> facts_from_json(const json::Value& value) {
  Facts facts;
  TRY(Filler::read(value, facts, "facts"));
  return facts;
}

}  // namespace sealift::installer
