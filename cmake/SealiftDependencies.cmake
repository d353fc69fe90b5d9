# Every outside library is found here, once, and gets a target name of ours: deps::<name>.
# The static form takes the archives (.a); Debian ships them in the same -dev packages.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
if(SEALIFT_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  set(OPENSSL_USE_STATIC_LIBS TRUE)
endif()

find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED)

# sealift_dependency(NAME HEADER header LIBRARIES a b ...)
function(sealift_dependency name)
  cmake_parse_arguments(arg "" "HEADER" "LIBRARIES" ${ARGN})
  add_library(deps_${name} INTERFACE)
  add_library(deps::${name} ALIAS deps_${name})
  find_path(DEPS_${name}_INCLUDE ${arg_HEADER} REQUIRED)
  target_include_directories(deps_${name} SYSTEM INTERFACE ${DEPS_${name}_INCLUDE})
  foreach(library ${arg_LIBRARIES})
    find_library(DEPS_${name}_${library} ${library} REQUIRED)
    target_link_libraries(deps_${name} INTERFACE ${DEPS_${name}_${library}})
  endforeach()
endfunction()

# Debian has no libfmt.a; compiling fmt once, or linking the shared one, halves the compile time of a file against header-only fmt.
if(SEALIFT_STATIC)
  sealift_dependency(fmt HEADER fmt/format.h)
  add_library(sealift_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt_library.cpp)
  target_link_libraries(sealift_fmt PRIVATE sealift_options)
  target_link_libraries(deps_fmt INTERFACE sealift_fmt)
else()
  sealift_dependency(fmt HEADER fmt/format.h LIBRARIES fmt)
endif()
sealift_dependency(expected HEADER tl/expected.hpp)
sealift_dependency(zstd HEADER zstd.h LIBRARIES zstd)
sealift_dependency(yaml HEADER yaml-cpp/yaml.h LIBRARIES yaml-cpp)
sealift_dependency(mustache HEADER kainjow/mustache.hpp)
sealift_dependency(cli11 HEADER CLI/CLI.hpp)
sealift_dependency(deflate HEADER libdeflate.h LIBRARIES deflate)
if(SEALIFT_STATIC)
  # What the formats and filters we name need; libarchive_all would pull in libxml2 and ICU.
  sealift_dependency(archive HEADER archive.h LIBRARIES archive acl lzma bz2 z zstd)
else()
  sealift_dependency(archive HEADER archive.h LIBRARIES archive)
  sealift_dependency(curl HEADER curl/curl.h LIBRARIES curl)
  sealift_dependency(solv HEADER solv/pool.h LIBRARIES solv solvext)
  sealift_dependency(rnp HEADER rnp/rnp.h LIBRARIES rnp)
endif()

# Not Boost::json, whose definitions tell the shared library from the static one: with the same command in both forms, ccache
# compiles a file once for both.
sealift_dependency(boost HEADER boost/json.hpp LIBRARIES boost_json boost_container)
target_link_libraries(deps_boost INTERFACE Threads::Threads)
