# Run at every build: writes OUTPUT with the version that git sees in SOURCE, and only when that has changed.
execute_process(COMMAND git -C ${SOURCE} describe --tags --always --dirty OUTPUT_VARIABLE version
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(version "of a folder without git")
endif()
set(text "namespace rival::cmd { extern const char kVersion[]; const char kVersion[] = \"${version}\"; }\n")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT text STREQUAL old)
  file(WRITE ${OUTPUT} "${text}")
endif()
