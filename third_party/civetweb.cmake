# The target `civetweb`: its source folder as a system include path and the switches it is built with. It is no library:
# src/http/civet.c includes civetweb.c as a whole: only its parser and its reader of bodies are used, and they are not public.
#
# The source is fetched when CMake configures (civetweb-fetch.sh), or taken from -DPARLEY_CIVETWEB_DIR=DIR.
set(PARLEY_CIVETWEB_DIR "" CACHE PATH "A folder with the source of civetweb 1.15; empty: fetch Debian's")

if(PARLEY_CIVETWEB_DIR)
    set(civetweb_source "${PARLEY_CIVETWEB_DIR}")
else()
    # The presets' build folders lie side by side and share one copy.
    cmake_path(GET CMAKE_BINARY_DIR PARENT_PATH civetweb_folder)
    if(NOT civetweb_folder STREQUAL "${CMAKE_SOURCE_DIR}/build")
        set(civetweb_folder "${CMAKE_BINARY_DIR}")
    endif()
    string(APPEND civetweb_folder "/third_party/civetweb")
    set(civetweb_source "${civetweb_folder}/source")
    execute_process(
        COMMAND sh "${CMAKE_CURRENT_LIST_DIR}/civetweb-fetch.sh" "${civetweb_folder}"
        RESULT_VARIABLE civetweb_result
        ERROR_VARIABLE civetweb_error)
    if(NOT civetweb_result EQUAL 0)
        string(STRIP "${civetweb_error}" civetweb_error)
        message(FATAL_ERROR "${civetweb_error}")
    endif()
endif()
if(NOT EXISTS "${civetweb_source}/src/civetweb.c" OR NOT EXISTS "${civetweb_source}/include/civetweb.h")
    message(FATAL_ERROR "There is no civetweb in ${civetweb_source}: src/civetweb.c and include/civetweb.h are looked for.")
endif()

find_package(Threads REQUIRED)
add_library(civetweb INTERFACE)
target_include_directories(civetweb SYSTEM INTERFACE "${civetweb_source}/include" "${civetweb_source}/src")
target_link_libraries(civetweb INTERFACE Threads::Threads)
# What is not used is not built: an overflow in the redirect of directories, for one, is in every release up to 1.16.
target_compile_definitions(civetweb INTERFACE
    NO_CGI NO_FILES NO_CACHING NO_SSL)
