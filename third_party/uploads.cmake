# The libraries that look into uploaded files, all of them Debian's packages: libmagic (types), libwebp (sizes of
# WebP), expat (SVG).
#
# All but expat are linked as archives: libmagic's package brings a database of 8 MB with it at run time, which is not
# used here, and of libwebp a single function is.
find_library(magic_archive NAMES libmagic.a REQUIRED)
find_library(webp_archive NAMES libwebp.a REQUIRED)
find_program(FILE_COMMAND NAMES file REQUIRED)
pkg_check_modules(expat REQUIRED IMPORTED_TARGET expat)
add_library(uploads INTERFACE)
target_link_libraries(uploads INTERFACE "${magic_archive}" lzma bz2 z "${webp_archive}" PkgConfig::expat m Threads::Threads)

# parley_signatures(TARGET FILE NAME): compiles a file of magic(5) and puts the result into TARGET, as the bytes from
# NAME to NAME_end.
function(parley_signatures target file name)
  set(generated "${CMAKE_BINARY_DIR}/generated")
  cmake_path(GET file FILENAME base)
  add_custom_command(
    OUTPUT "${generated}/${base}.mgc"
    COMMAND "${FILE_COMMAND}" -C -m "${file}"
    DEPENDS "${file}"
    WORKING_DIRECTORY "${generated}"
    VERBATIM)
  file(CONFIGURE OUTPUT "${generated}/${name}.S" @ONLY CONTENT
"    .section .rodata
    .globl ${name}
    .globl ${name}_end
    .balign 16
${name}:
    .incbin \"${generated}/${base}.mgc\"
${name}_end:
    .byte 0
#if defined(__linux__)
    .section .note.GNU-stack,\"\",%progbits
#endif
")
  set_source_files_properties("${generated}/${name}.S" PROPERTIES OBJECT_DEPENDS "${generated}/${base}.mgc")
  target_sources(${target} PRIVATE "${generated}/${name}.S")
endfunction()
