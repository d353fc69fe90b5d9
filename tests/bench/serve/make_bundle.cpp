/// Makes a signed bundle with one image whose single layer has the given size, and writes what the other
/// servers need of it.
///
///     bench_serve_bundle FOLDER MIB    ->  FOLDER/bundle.tar sealift.pub manifest.json layer digests.txt
///     (manifest, layer)
#include <cstdio>
#include <cstdlib>

#include "tests/support/bundles.hpp"

namespace sealift {
namespace {

std::string incompressible(std::size_t size) {
  std::string text(size, '\0');
  std::uint64_t state = 88172645463325252ULL;
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    for (std::size_t j = 0; j < 8; ++j) text[i + j] = static_cast<char>(state >> (8 * j));
  }
  return text;
}

Status make(const fs::path& folder, std::size_t size) {
  TRY(sealift::create_directories(folder));
  TRY_ASSIGN(const auto key, PrivateKey::generate());
  TRY(write_file_atomically(folder / "sealift.pub", key.public_key().pem()));
  const std::string layer = incompressible(size);
  test::BundleRecipe recipe;
  recipe.image("bench.example/bench:1", {layer});
  TRY_ASSIGN(const auto plan, recipe.plan());
  const Digest manifest = plan.contents.find_image("bench.example/bench:1")->digest;
  TRY(write_file_atomically(folder / "manifest.json", recipe.content(manifest)));
  TRY(write_file_atomically(folder / "layer", layer));
  TRY(write_file_atomically(folder / "digests.txt", manifest.str() + "\n" + digest_of(layer).str() + "\n"));
  return recipe.write(folder / "bundle.tar", {&key});
}

}  // namespace
}  // namespace sealift

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto made = sealift::make(argv[1], static_cast<std::size_t>(std::atoll(argv[2])) << 20U);
  if (!made) std::fprintf(stderr, "%s\n", made.error().message().c_str());
  return made ? 0 : 1;
}
