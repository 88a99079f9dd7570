# rival_precompile(TARGET): its files begin with cmake/precompiled.h, parsed once for all rooms, by the ground floor.
function(rival_precompile target)
  if(${target} STREQUAL rival_base)
    target_precompile_headers(rival_base PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h)
  else()
    target_precompile_headers(${target} REUSE_FROM rival_base)
  endif()
endfunction()

# rival_room(NAME LINK libs...): one static library from src/NAME/*.cc and one level of folders below (but not
# kernels/isa, whose files are compiled for one instruction set each), and one test program from its *_test.cc
# files, registered with ctest under the room's name.
function(rival_room name)
  cmake_parse_arguments(ROOM "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc ${CMAKE_SOURCE_DIR}/src/${name}/*/*.cc)
  list(FILTER sources EXCLUDE REGEX "/src/kernels/isa/")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(rival_${name} STATIC ${sources})
    target_link_libraries(rival_${name} PUBLIC ${ROOM_LINK})
    rival_precompile(rival_${name})
  else()
    add_library(rival_${name} INTERFACE)
    target_link_libraries(rival_${name} INTERFACE ${ROOM_LINK})
  endif()
  if(RIVAL_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE rival_${name} gtest gmock gtest_main)
    target_compile_definitions(${name}_test PRIVATE RIVAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    rival_precompile(${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
endfunction()

# rival_kernel_isa(NAME flags...): src/kernels/isa/NAME.cc compiled for one instruction set only.
function(rival_kernel_isa name)
  set(file ${CMAKE_SOURCE_DIR}/src/kernels/isa/${name}.cc)
  if(EXISTS ${file})
    target_sources(rival_kernels PRIVATE ${file})
    # Unrolled kernels under a sanitizer at full optimisation take minutes to compile and prove no more.
    set(level -O3)
    if(RIVAL_SANITIZE)
      set(level -O1)
    endif()
    set_source_files_properties(${file} PROPERTIES SKIP_PRECOMPILE_HEADERS ON
      COMPILE_OPTIONS "${level};-Wno-maybe-uninitialized;-Wno-uninitialized;${ARGN}")
  endif()
endfunction()

# rival_test(NAME LINK libs... SOURCES files...): tests/NAME_test.cc, a test of what spans rooms, with further
# files of tests/. When ctest runs it, RIVAL_BINARY names the program.
function(rival_test name)
  if(NOT RIVAL_TESTS)
    return()
  endif()
  cmake_parse_arguments(TEST "" "" "LINK;SOURCES" ${ARGN})
  list(TRANSFORM TEST_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/tests/)
  add_executable(${name}_test ${CMAKE_SOURCE_DIR}/tests/${name}_test.cc ${TEST_SOURCES})
  target_link_libraries(${name}_test PRIVATE ${TEST_LINK} gtest gmock gtest_main)
  target_compile_definitions(${name}_test PRIVATE RIVAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  add_dependencies(${name}_test rival)
  set_tests_properties(${name} PROPERTIES ENVIRONMENT RIVAL_BINARY=$<TARGET_FILE:rival>)
endfunction()

# rival_fuzzer(NAME LINK libs...): fuzz/NAME_fuzz.cc as a libFuzzer program in the target "fuzzers", and a short run
# of it from the seeds in fuzz/corpus/NAME as a test. Only in a build with RIVAL_FUZZ (clang).
set(RIVAL_FUZZ_SECONDS 5 CACHE STRING "how long each fuzzer runs as a test")
function(rival_fuzzer name)
  if(NOT RIVAL_FUZZ)
    return()
  endif()
  cmake_parse_arguments(FUZZ "" "" "LINK" ${ARGN})
  add_executable(${name}_fuzz ${CMAKE_SOURCE_DIR}/fuzz/${name}_fuzz.cc)
  target_link_libraries(${name}_fuzz PRIVATE ${FUZZ_LINK})
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name}_fuzz)
  # New inputs are kept in the build folder, the seeds stay as they are.
  set(found ${CMAKE_BINARY_DIR}/corpus/${name})
  file(MAKE_DIRECTORY ${found})
  add_test(NAME fuzz_${name} COMMAND ${name}_fuzz -max_total_time=${RIVAL_FUZZ_SECONDS} -timeout=10
    -rss_limit_mb=4096 -print_final_stats=1 ${found} ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
endfunction()

# rival_embed(ROOM file VARIABLE): the text of a file as `extern const char VARIABLE[]` of rival::ROOM.
function(rival_embed room file variable)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
  file(READ ${CMAKE_SOURCE_DIR}/${file} text)
  set(generated ${CMAKE_BINARY_DIR}/embedded/${variable}.cc)
  file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
    "namespace rival::@room@ { extern const char @variable@[]; const char @variable@[] = R\"rival(@text@)rival\"; }\n")
  target_sources(rival_${room} PRIVATE ${generated})
endfunction()
