# parley_embed(TARGET FOLDER): puts every file of FOLDER and its subfolders into TARGET, as bytes of the program and a table
# of them (http/assets.h). The bytes come in by the assembler's .incbin: no giant C array to compile, no tool but the
# compiler, any target. Hidden files and node_modules are left out. A file that is changed, added or removed configures
# again, since its sum is in the table.
set(parley_asset_types
  html "text/html; charset=utf-8"
  css "text/css; charset=utf-8"
  js "text/javascript; charset=utf-8"
  mjs "text/javascript; charset=utf-8"
  json "application/json"
  map "application/json"
  webmanifest "application/manifest+json"
  txt "text/plain; charset=utf-8"
  svg "image/svg+xml"
  png "image/png"
  jpg "image/jpeg"
  webp "image/webp"
  ico "image/x-icon"
  woff2 "font/woff2"
  wasm "application/wasm")

function(parley_embed target folder)
  set(types "${parley_asset_types}")
  # A ";" in a type would cut the list.
  string(REPLACE "; charset" "|charset" types "${types}")
  file(GLOB_RECURSE files CONFIGURE_DEPENDS LIST_DIRECTORIES false RELATIVE "${folder}" "${folder}/*")
  list(FILTER files EXCLUDE REGEX "(^|/)(\\.|node_modules/)")
  list(SORT files)
  set(bytes "")
  set(externs "")
  set(rows "")
  set(inputs "")
  set(n 0)
  foreach(name IN LISTS files)
    set(file "${folder}/${name}")
    set(type "application/octet-stream")
    if(name MATCHES "\\.([a-z0-9]+)$")
      list(FIND types "${CMAKE_MATCH_1}" at)
      if(at GREATER -1)
        math(EXPR at "${at} + 1")
        list(GET types ${at} type)
        string(REPLACE "|" "; " type "${type}")
      endif()
    endif()
    set(path "/${name}")
    if(name STREQUAL "index.html")
      set(path "/")
    endif()
    file(SHA256 "${file}" sum)
    string(SUBSTRING "${sum}" 0 16 etag)
    string(APPEND bytes "    .globl asset_${n}\n    .globl asset_${n}_end\n    .balign 16\nasset_${n}:\n"
      "    .incbin \"${file}\"\nasset_${n}_end:\n    .byte 0\n")
    string(APPEND externs "extern const char asset_${n}[], asset_${n}_end[];\n")
    string(APPEND rows "    {\"${path}\", \"${type}\", \"\\\"${etag}\\\"\", asset_${n}, asset_${n}_end},\n")
    list(APPEND inputs "${file}")
    math(EXPR n "${n} + 1")
  endforeach()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${inputs})
  set(generated "${CMAKE_BINARY_DIR}/generated")
  file(CONFIGURE OUTPUT "${generated}/assets.S" @ONLY CONTENT
    "    .section .rodata\n${bytes}\n#if defined(__linux__)\n    .section .note.GNU-stack,\"\",%progbits\n#endif\n")
  # The last row is no file: C knows no empty array.
  file(CONFIGURE OUTPUT "${generated}/assets_table.c" @ONLY CONTENT
"#include \"http/assets.h\"

${externs}
const struct asset assets_table[] = {
${rows}    {0},
};
const size_t assets_count = sizeof assets_table / sizeof *assets_table - 1;
")
  set_source_files_properties("${generated}/assets.S" PROPERTIES OBJECT_DEPENDS "${inputs}")
  target_sources(${target} PRIVATE "${generated}/assets.S" "${generated}/assets_table.c")
endfunction()
