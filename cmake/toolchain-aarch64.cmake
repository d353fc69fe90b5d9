# On Debian 12: dpkg --add-architecture arm64, then apt-get install g++-aarch64-linux-gnu cmake ninja-build pkg-config
# libcli11-dev libexpected-dev libkainjow-mustache-dev and, with the suffix :arm64, libboost1.81-dev libboost-json1.81-dev
# libarchive-dev libssl-dev libyaml-cpp-dev libzstd-dev libfmt-dev libdeflate-dev zlib1g-dev liblzma-dev libbz2-dev libacl1-dev.
# Then cmake --preset static-arm64 && ninja -C build/static-arm64 sealift.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
