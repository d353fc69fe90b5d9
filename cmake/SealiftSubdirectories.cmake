# Adds the named folders in this order; one that is not there yet is skipped, so that layers can land one by one.
# SEALIFT_SKIP (a list) leaves folders out, for work on one layer while another does not build.
function(sealift_add_subdirectories)
  foreach(folder ${ARGN})
    if(NOT folder IN_LIST SEALIFT_SKIP AND EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()
