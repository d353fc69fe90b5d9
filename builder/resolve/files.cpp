#include "builder/resolve/lock_file.hpp"
#include "builder/resolve/resolve.hpp"
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
    if (file.path.empty()) {
      TRY_ASSIGN(const net::Url url, net::Url::parse(spec.url));
      file.path = url.filename();
    }
    if (!is_confined_path(file.path)) {
      return fail(ErrorCode::invalid_argument,
                  "files: {}: its URL ends in no usable file name; give a `path:`", spec.url);
    }
    wanted.push_back(std::move(file));
  }
  return lock_files(wanted, context);
}

}  // namespace sealift::builder
