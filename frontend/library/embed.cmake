# Writes the text of INPUT as a C array with a closing zero, so that the library is part of the program.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "extern const char stdlib_mdl[];\nconst char stdlib_mdl[] = {\n${bytes}0};\n")
