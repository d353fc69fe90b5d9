# Adds the named folders in this order; one that is not there yet is skipped, so that layers can land one by one.
# SEALIFT_SKIP (a list of paths from the top, "tests/e2e") leaves folders out.
function(sealift_add_subdirectories)
  foreach(folder ${ARGN})
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
    if(NOT path IN_LIST SEALIFT_SKIP AND EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()
