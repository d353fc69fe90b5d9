/// What the bundles hold, seen by the installer: which program, package and image a host gets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "installer/host/facts.hpp"
#include "installer/host/step.hpp"
#include "installer/inventory/cluster.hpp"
#include "installer/render/versions.hpp"
#include "lib/base/result.hpp"
#include "lib/bundle/contents.hpp"

namespace sealift::installer {

/// Several bundles as one: images, files, package sets and Kubernetes of later ones win.
bundle::Contents merge_contents(const std::vector<const bundle::Contents*>& bundles);

/// Where a bundle has the OpenPGP key of its package repositories.
inline constexpr const char* kRepositoryKey = "keys/repository.asc";

/// apt is given one key, that of the last bundle: a package set of an earlier one that is still in use must
/// be signed by it (ErrorCode::precondition).
Status check_repository_keys(const std::vector<const bundle::Contents*>& bundles);

/// "linux/amd64" for "x86_64", "linux/arm64" for "aarch64"; empty for others.
std::string platform_of(const std::string& machine);

/// "debian-12": the package set that fits the host's operating system.
std::string package_target(const Facts& facts);
const bundle::PackageSetEntry* find_package_set(const bundle::Contents& contents, const Facts& facts);

/// The packages the host is to have, by what the bundle was asked to hold and by the host's roles, each with
/// its exact version. Their dependencies come along from our repository by themselves.
Result<std::vector<Package>> packages_for(const bundle::Contents& contents, const Facts& facts,
                                          const Cluster& cluster, const Host& host);

/// Does the host keep time with systemd-timesyncd? chrony would push it out, and nothing is ever removed from
/// a host: it stays and is told whom to ask.
bool keeps_timesyncd(const Facts& facts);

/// Is that package among what is installed on this host?
bool has_package(const std::vector<Package>& packages, std::string_view name);

/// Version of the containerd the host will run: of the package, else of the bundle's release archive.
Result<ReleaseVersion> containerd_version(const bundle::Contents& contents, const Facts& facts);

/// The pause image that the bundled kubeadm lists.
Result<std::string> sandbox_image(const bundle::Contents& contents);

/// The images of Kubernetes that this host runs, the sandbox image first.
Result<std::vector<std::string>> images_for(const bundle::Contents& contents, const Host& host);

/// All image names a manifest's text asks for: values of `image:` keys, in order, each once.
std::vector<std::string> images_in_manifest(const std::string& text);

/// The name as containerd asks for it: with registry and tag ("nginx" -> "docker.io/library/nginx:latest").
std::string full_image_name(const std::string& name);

}  // namespace sealift::installer
