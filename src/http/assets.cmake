# cmake -DFOLDER=DIR -DOUT=DIR -P assets.cmake: makes OUT/assets.S and OUT/assets_table.c of FOLDER's files (http/assets.h).
# The bytes come in by the assembler's .incbin: no giant C array to compile, no tool but the compiler, any target. NAME.gz
# is what NAME is sent as to those who take gzip. The tags are of the bytes before: gzip's differ between its versions.
file(GLOB_RECURSE files LIST_DIRECTORIES false RELATIVE "${FOLDER}" "${FOLDER}/*")
list(FILTER files EXCLUDE REGEX "(^\\.|/\\.|\\.gz$)")
list(SORT files)
set(bytes "")
set(externs "")
set(rows "")
set(n 0)

# Appends one file's bytes under a label.
function(embed label file)
  string(APPEND bytes "    .globl ${label}\n    .globl ${label}_end\n    .balign 16\n${label}:\n")
  if(file)
    string(APPEND bytes "    .incbin \"${file}\"\n")
  endif()
  string(APPEND bytes "${label}_end:\n    .byte 0\n")
  set(bytes "${bytes}" PARENT_SCOPE)
endfunction()

foreach(name IN LISTS files)
  set(path "/${name}")
  if(name STREQUAL "index.html")
    set(path "/")
  endif()
  file(SHA256 "${FOLDER}/${name}" sum)
  string(SUBSTRING "${sum}" 0 16 etag)
  embed(asset_${n} "${FOLDER}/${name}")
  set(zip "")
  if(EXISTS "${FOLDER}/${name}.gz")
    set(zip "${FOLDER}/${name}.gz")
  endif()
  embed(asset_${n}_zip "${zip}")
  string(APPEND externs "extern const char asset_${n}[], asset_${n}_end[], asset_${n}_zip[], asset_${n}_zip_end[];\n")
  string(APPEND rows
    "    {\"${path}\", \"${etag}\", asset_${n}, asset_${n}_end, asset_${n}_zip, asset_${n}_zip_end},\n")
  math(EXPR n "${n} + 1")
endforeach()

file(WRITE "${OUT}/assets.S"
  "    .section .rodata\n${bytes}\n#if defined(__linux__)\n    .section .note.GNU-stack,\"\",%progbits\n#endif\n")
# The last row is no file: C knows no empty array.
file(WRITE "${OUT}/assets_table.c" "#include \"http/assets.h\"

${externs}
const struct asset assets_table[] = {
${rows}    {0},
};
const size_t assets_count = sizeof assets_table / sizeof *assets_table - 1;
")
