# sealift_add_fuzz_target(NAME SOURCES ... LINKS ... CORPUS dir): a parser of foreign bytes, as LLVMFuzzerTestOneInput.
# With SEALIFT_FUZZ a libFuzzer program; otherwise a program that feeds every file of the corpus (relative to the calling folder,
# one test a target, label fuzz), so that what the fuzzer once found stays found.
function(sealift_add_fuzz_target name)
  cmake_parse_arguments(arg "" "CORPUS" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE sealift_options sealift_warnings ${arg_LINKS})
  if(SEALIFT_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/fuzz_replay.cpp)
  sealift_precompile(${name})
  add_dependencies(sealift_tests ${name})
  add_test(NAME ${name} COMMAND ${name} ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS})
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()
