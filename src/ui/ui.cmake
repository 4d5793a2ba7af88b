# parley_ui(TARGET): embeds the page into TARGET. PARLEY_UI says where it comes from:
#
#   ON        it is built, with Node.js 18 or later and the packages of package-lock.json, which npm fetches
#   PREBUILT  PARLEY_UI_DIST holds it built, as a release's archive does
#   OFF       there is one line in its place
#   AUTO      the first of these that can be had. One that ends at OFF says so, here and in UI_MISSING in the build folder,
#             so that those who build again can try again
#
# The packages lie in the build folder: sources may be read-only, and build folders of one source tree do not meet.
set(PARLEY_UI AUTO CACHE STRING "the page: AUTO, ON (build it), PREBUILT (from PARLEY_UI_DIST), OFF")
set_property(CACHE PARLEY_UI PROPERTY STRINGS AUTO ON PREBUILT OFF)
set(PARLEY_UI_DIST "${CMAKE_CURRENT_LIST_DIR}/dist" CACHE PATH "the folder of the built page, for PREBUILT")
set(ui_folder "${CMAKE_CURRENT_LIST_DIR}")
set(ui_assets "${CMAKE_CURRENT_LIST_DIR}/../http/assets.cmake")

# Sets `why` to the reason why the page cannot be built here, or to nothing. What npm fetched stays for the next time.
function(parley_ui_prepare work why)
  find_program(PARLEY_NODE node)
  find_program(PARLEY_NPM npm)
  mark_as_advanced(PARLEY_NODE PARLEY_NPM)
  set(${why} "" PARENT_SCOPE)
  if(NOT PARLEY_NODE OR NOT PARLEY_NPM)
    set(${why} "Node.js and npm are missing (apt-get install nodejs npm)" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND "${PARLEY_NODE}" --version OUTPUT_VARIABLE version ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(REGEX REPLACE "^v" "" version "${version}")
  if(version VERSION_LESS 18)
    set(${why} "Node.js ${version} is too old, 18 is needed (apt-get install nodejs npm)" PARENT_SCOPE)
    return()
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${ui_folder}/package-lock.json")
  file(SHA256 "${ui_folder}/package-lock.json" wanted)
  set(installed "")
  if(EXISTS "${work}/installed")
    file(READ "${work}/installed" installed)
  endif()
  if(installed STREQUAL wanted)
    return()
  endif()
  file(COPY "${ui_folder}/package.json" "${ui_folder}/package-lock.json" DESTINATION "${work}")
  execute_process(COMMAND "${PARLEY_NPM}" ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
    --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=60000
    WORKING_DIRECTORY "${work}" RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(failed)
    # npm says much; why is in one line of it.
    string(REGEX MATCH "request to [^\n]*" reason "${said}")
    if(NOT reason)
      string(SUBSTRING "${said}" 0 500 reason)
    endif()
    set(${why} "npm could not fetch its packages: ${reason}" PARENT_SCOPE)
    return()
  endif()
  file(WRITE "${work}/installed" "${wanted}")
endfunction()

function(parley_ui target)
  set(work "${CMAKE_BINARY_DIR}/ui-work")
  set(dist "${CMAKE_BINARY_DIR}/ui")
  set(missing "${CMAKE_BINARY_DIR}/UI_MISSING")
  set(mode "${PARLEY_UI}")
  file(REMOVE "${missing}")
  if(mode STREQUAL "AUTO" OR mode STREQUAL "ON")
    parley_ui_prepare("${work}" why)
    if(NOT why)
      set(mode ON)
    elseif(mode STREQUAL "ON")
      message(FATAL_ERROR "The page cannot be built: ${why}")
    elseif(EXISTS "${PARLEY_UI_DIST}/index.html")
      set(mode PREBUILT)
    else()
      set(mode OFF)
      file(WRITE "${missing}" "The chat page is left out: ${why}. The next build tries again.\n")
      message(WARNING "The chat page is left out: ${why}")
    endif()
  endif()

  set(depends "${ui_assets}")
  set(build "")
  if(mode STREQUAL "ON")
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS LIST_DIRECTORIES false "${ui_folder}/src/*")
    list(APPEND depends ${sources} "${ui_folder}/build.mjs" "${work}/installed")
    set(build COMMAND "${CMAKE_COMMAND}" -E chdir "${work}" "${PARLEY_NODE}" "${ui_folder}/build.mjs" "${dist}")
  elseif(mode STREQUAL "PREBUILT")
    if(NOT EXISTS "${PARLEY_UI_DIST}/index.html")
      message(FATAL_ERROR "There is no built page in PARLEY_UI_DIST, ${PARLEY_UI_DIST}")
    endif()
    set(dist "${PARLEY_UI_DIST}")
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS LIST_DIRECTORIES false "${dist}/*")
    list(APPEND depends ${sources})
  elseif(mode STREQUAL "OFF")
    set(build COMMAND "${CMAKE_COMMAND}" -E rm -rf "${dist}"
      COMMAND "${CMAKE_COMMAND}" -E make_directory "${dist}"
      COMMAND "${CMAKE_COMMAND}" -E copy "${ui_folder}/none.html" "${dist}/index.html")
    list(APPEND depends "${ui_folder}/none.html")
  else()
    message(FATAL_ERROR "PARLEY_UI is AUTO, ON, PREBUILT or OFF, not ${PARLEY_UI}")
  endif()
  message(STATUS "The chat page: ${mode}")

  set(generated "${CMAKE_BINARY_DIR}/generated")
  add_custom_command(OUTPUT "${generated}/assets.S" "${generated}/assets_table.c"
    ${build}
    COMMAND "${CMAKE_COMMAND}" -DFOLDER=${dist} -DOUT=${generated} -P "${ui_assets}"
    DEPENDS ${depends} COMMENT "The chat page (${mode})" VERBATIM)
  target_sources(${target} PRIVATE "${generated}/assets.S" "${generated}/assets_table.c")
endfunction()
