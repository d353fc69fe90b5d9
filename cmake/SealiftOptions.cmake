# Two INTERFACE targets carry every compiler setting; nothing is set globally.
add_library(sealift_options INTERFACE)
add_library(sealift_warnings INTERFACE)

target_compile_features(sealift_options INTERFACE cxx_std_20)
target_include_directories(sealift_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(sealift_options INTERFACE -fno-plt -fstack-protector-strong -fPIE)
target_compile_definitions(sealift_options INTERFACE _FILE_OFFSET_BITS=64
  BOOST_ASIO_NO_DEPRECATED BOOST_JSON_NO_LIB BOOST_ALL_NO_LIB)
target_compile_definitions(sealift_options INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)

target_compile_options(sealift_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wno-missing-field-initializers -Wconversion -Wno-sign-conversion -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough)
# g++ 12 reports uninitialised and dangling values inside its own headers once they are inlined (GCC PR 105562 and others).
target_compile_options(sealift_warnings INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-null-dereference -Wno-restrict -Wno-stringop-overflow>)
if(SEALIFT_WERROR)
  target_compile_options(sealift_warnings INTERFACE -Werror)
endif()

if(SEALIFT_SANITIZE)
  target_compile_options(sealift_options INTERFACE -fsanitize=${SEALIFT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(sealift_options INTERFACE -fsanitize=${SEALIFT_SANITIZE})
endif()
if(SEALIFT_FUZZ)
  target_compile_options(sealift_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SEALIFT_STATIC)
  # A glibc lookup that loads the host's own modules would kill the process on another distribution: the linker's warning is fatal.
  target_link_options(sealift_options INTERFACE -static-pie -Wl,--fatal-warnings)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# A precompiled header saves a third of a full build, which is what CI does (scripts/test); daily work is served better by ccache.
option(SEALIFT_PCH "Use a precompiled header" OFF)
# In a precompiled header g++ 12 forgets which code is the system's, and optimised builds report more of the same.
if(SEALIFT_PCH)
  target_compile_options(sealift_warnings INTERFACE
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-stringop-overread -Wno-array-bounds>)
endif()
function(sealift_precompile target)
  if(NOT SEALIFT_PCH)
    return()
  endif()
  # ccache looks into a precompiled header only with this.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  if(NOT TARGET sealift_precompiled)
    file(WRITE ${CMAKE_BINARY_DIR}/generated/precompiled.cpp "")
    add_library(sealift_precompiled STATIC ${CMAKE_BINARY_DIR}/generated/precompiled.cpp)
    target_link_libraries(sealift_precompiled PRIVATE sealift_options sealift_warnings deps::fmt deps::expected deps::boost)
    target_precompile_headers(sealift_precompiled PRIVATE <chrono> <filesystem> <functional> <map> <memory> <mutex> <optional> <string>
      <string_view> <vector> <fmt/format.h> <tl/expected.hpp> <boost/json/array.hpp> <boost/json/object.hpp> <boost/json/value.hpp>)
  endif()
  target_precompile_headers(${target} REUSE_FROM sealift_precompiled)
endfunction()

# A file that is compiled with its neighbours instantiates with them what they all use, which saves a third of the sanitizers' build.
# The other builds compile the product file by file: together, a file could live on its neighbour's includes.
set(SEALIFT_UNITY "" CACHE STRING "What is compiled several files at once: tests, all, or (empty) nothing")
# sealift_compile_together(PART): for what comes after it.
macro(sealift_compile_together part)
  if(SEALIFT_UNITY STREQUAL "${part}")
    set(CMAKE_UNITY_BUILD ON)
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)  # a source that is included is no header
  endif()
endmacro()

# sealift_module(NAME SOURCES ... LINKS ...): one static library a module, alias sealift::NAME.
function(sealift_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(sealift_${name} STATIC ${arg_SOURCES})
  add_library(sealift::${name} ALIAS sealift_${name})
  target_link_libraries(sealift_${name} PUBLIC sealift_options ${arg_LINKS} PRIVATE sealift_warnings ${arg_PRIVATE_LINKS})
  sealift_precompile(sealift_${name})
endfunction()
