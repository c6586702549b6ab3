/* The numbers that begin the parts of a ZIP file. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_ZIP_MARKS_H
#define MLC_RUNTIME_FORMATS_ZIP_MARKS_H

enum {
    ZIP_ENTRY = 0x04034b50,     /* an entry, before its bytes */
    ZIP_DIRECTORY = 0x02014b50, /* the header of an entry in the directory */
    ZIP_END = 0x06054b50        /* the end record */
};

#endif
