#include "repo-server/web/pages.hpp"

#include <fmt/format.h>

#include "lib/base/progress.hpp"
#include "repo-server/http/target.hpp"

namespace sealift::repo_server {
namespace {

using http::encode_path;
using http::escape_html;

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">\n"
      "<title>{0}</title>\n<style>body{{font:16px/1.5 system-ui,sans-serif;margin:2rem "
      "auto;max-width:60rem;padding:0 1rem;color:#1a2330;"
      "background:#fff}}pre{{background:#f2f5f8;padding:.8rem;overflow:auto}}table{{border-collapse:collapse}"
      "}"
      "td,th{{padding:.15rem 1rem .15rem 0;text-align:left}}td.n{{text-align:right}}a{{color:#0b5cad}}"
      "@media(prefers-color-scheme:dark){{body{{color:#e4e9ef;background:#14181d}}pre{{background:#20262d}}a{"
      "{color:#7db8f5}}}}</style></head>\n"
      "<body>\n<h1>{0}</h1>\n{1}</body></html>\n",
      escape_html(title), body);
}

}  // namespace

std::string front_page(const SnippetContext& context, const std::vector<BundleRow>& bundles) {
  std::string body = fmt::format(
      "<p>This is a Sealift mirror: container images, operating system packages and files that came across "
      "in signed bundles.</p>\n"
      "<p><a href=\"/images/\">Images</a> · <a href=\"/files/\">Files</a> · <a href=\"/apt/\">apt "
      "repositories</a> · <a href=\"/keys/\">Keys</a> · "
      "<a href=\"/client/\">Client configuration</a> · <a href=\"/readyz\">State</a> · <a "
      "href=\"/metrics\">Metrics</a></p>\n"
      "<h2>Set up a "
      "client</h2>\n<pre>{}</pre>\n<h2>Bundles</h2>\n<table><tr><th>Name</th><th>Version</th><th>Made</"
      "th><th>Images</th>"
      "<th>Files</th><th>Full verification</th><th>Root digest</th></tr>\n",
      escape_html(instructions(context)));
  for (const BundleRow& row : bundles) {
    body += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td>{}</td><td><code>{}</code></td></tr>\n",
        escape_html(row.name), escape_html(row.version), escape_html(row.time), row.images, row.files,
        escape_html(row.verification), escape_html(row.root));
  }
  return page("Sealift mirror", body + "</table>\n");
}

std::string folder_page(std::string_view path, const std::vector<FolderItem>& items) {
  std::string body = "<table><tr><th>Name</th><th>Size</th><th>Time</th></tr>\n";
  body += "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";
  for (const FolderItem& item : items) {
    const std::string name = item.name + (item.is_folder ? "/" : "");
    body += fmt::format("<tr><td><a href=\"./{}\">{}</a></td><td class=\"n\">{}</td><td>{}</td></tr>\n",
                        encode_path(name), escape_html(name), item.is_folder ? "" : format_bytes(item.size),
                        item.is_folder ? "" : format_rfc3339(item.time));
  }
  if (items.size() >= kMaxFolderItems) body += "<tr><td>more than can be listed here</td></tr>\n";
  return page(fmt::format("/{}/", path), body + "</table>\n");
}

std::string images_page(const SnippetContext& context, const std::vector<std::string>& references) {
  std::string body =
      fmt::format("<p>Registry: <code>{}</code></p>\n<ul>\n", escape_html(context.registry_url()));
  for (const std::string& reference : references)
    body += fmt::format("<li><code>{}</code></li>\n", escape_html(reference));
  return page("Images", body + "</ul>\n");
}

}  // namespace sealift::repo_server
