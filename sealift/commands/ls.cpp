#include <CLI/CLI.hpp>

#include "lib/base/json.hpp"
#include "lib/base/progress.hpp"
#include "lib/bundle/reader.hpp"
#include "sealift/commands/commands.hpp"

namespace sealift {

namespace {

struct LsOptions {
  std::string bundle;
  std::string what = "all";
  bool json = false;
};

struct Row {
  std::string name;
  std::string detail;
  std::uint64_t size;
  std::string digest;
  std::optional<std::uint64_t> stored_size;  ///< of files: what they take in the bundle
};

std::vector<Row> image_rows(const bundle::Contents& contents) {
  std::vector<Row> rows;
  for (const auto& image : contents.images) {
    rows.push_back(
        {image.name, fmt::format("{}", fmt::join(image.platforms, ",")), image.size, image.digest.str(), {}});
  }
  return rows;
}

std::vector<Row> package_rows(const bundle::Contents& contents) {
  std::vector<Row> rows;
  for (const auto& set : contents.package_sets) {
    for (const auto& package : set.packages) {
      rows.push_back({package.name,
                      fmt::format("{} {} {}", package.version, package.architecture, set.target),
                      package.size,
                      package.digest.str(),
                      {}});
    }
  }
  return rows;
}

std::vector<Row> file_rows(const bundle::Contents& contents) {
  std::vector<Row> rows;
  for (const auto& file : contents.files) {
    rows.push_back(
        {file.path, file.media_type, file.size, file.digest.str(), contents.blobs.at(file.blob()).size});
  }
  return rows;
}

std::vector<Row> blob_rows(const bundle::Contents& contents) {
  std::vector<Row> rows;
  for (const auto& [digest, blob] : contents.blobs) {
    rows.push_back({blob.provenance.source,
                    blob.offset ? fmt::format("at {}", *blob.offset) : "in the base",
                    blob.size,
                    digest.str(),
                    {}});
  }
  return rows;
}

void print_text(std::string_view title, const std::vector<Row>& rows) {
  fmt::print("{} ({})\n", title, rows.size());
  for (const Row& row : rows) {
    const bool is_compressed = row.stored_size && *row.stored_size != row.size;
    fmt::print("  {:>10}  {}  {}  {}{}\n", format_bytes(row.size), row.digest.substr(0, 19), row.name,
               row.detail,
               is_compressed ? fmt::format(" (stored as {} of zstd)", format_bytes(*row.stored_size)) : "");
  }
}

json::Array to_json(const std::vector<Row>& rows) {
  json::Array array;
  for (const Row& row : rows) {
    json::Object object{
        {"name", row.name}, {"detail", row.detail}, {"size", row.size}, {"digest", row.digest}};
    if (row.stored_size) object["storedSize"] = *row.stored_size;
    array.push_back(std::move(object));
  }
  return array;
}

Status run_ls(const LsOptions& options) {
  TRY_ASSIGN(const auto file, bundle::BundleFile::open(options.bundle));
  const std::pair<const char*, std::vector<Row> (*)(const bundle::Contents&)> kinds[] = {
      {"images", image_rows}, {"packages", package_rows}, {"files", file_rows}, {"blobs", blob_rows}};
  json::Object object{{"schema", "sealift.ls/v1"}};
  for (const auto& [name, rows_of] : kinds) {
    const bool in_all = options.what == "all" && name != std::string_view("blobs");
    if (options.what != name && !in_all) continue;
    const std::vector<Row> rows = rows_of(file->contents());
    if (options.json) {
      object[name] = to_json(rows);
    } else {
      print_text(name, rows);
    }
  }
  if (options.json) fmt::print("{}", json::serialize_pretty(object));
  return {};
}

}  // namespace

void add_ls(CLI::App& app, Action& action) {
  auto options = std::make_shared<LsOptions>();
  CLI::App* command = app.add_subcommand("ls", "List images, packages, files or blobs of a bundle");
  command->add_option("bundle", options->bundle, "Bundle file")->required();
  command->add_option("what", options->what, "images, packages, files, blobs or all (without blobs)")
      ->check(CLI::IsMember({"images", "packages", "files", "blobs", "all"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print as JSON");
  command->footer("Example:\n  sealift ls k8s-ha.tar images");
  command->callback(
      [options, &action] { action = [options](const CommandEnvironment&) { return run_ls(*options); }; });
}

}  // namespace sealift
