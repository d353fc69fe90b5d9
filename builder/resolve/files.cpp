#include "builder/resolve/lock_file.hpp"
#include "builder/resolve/public_url.hpp"
#include "builder/resolve/resolve.hpp"
#include "lib/bundle/served_path.hpp"
#include "lib/net/url.hpp"

namespace sealift::builder {

Result<ResolvedFiles> resolve_files(const std::vector<bundle::FileSpec>& specs,
                                    const ResolveContext& context) {
  std::vector<WantedFile> wanted;
  for (const bundle::FileSpec& spec : specs) {
    WantedFile file;
    file.url = spec.url;
    file.checksums = spec.checksums;
    file.digest = spec.digest;
    file.path = spec.path;
    file.mode = spec.mode;
    TRY_ASSIGN(const net::Url url, within(parse_public_url(spec.url), "files"));
    if (file.path.empty()) file.path = url.filename();
    if (!bundle::is_served_path("files/" + file.path)) {
      return fail(ErrorCode::invalid_argument,
                  "files: {}: its URL ends in no usable file name; give a `path:` that is {}", url,
                  bundle::kServedPathRule);
    }
    wanted.push_back(std::move(file));
  }
  return lock_files(wanted, context);
}

}  // namespace sealift::builder
