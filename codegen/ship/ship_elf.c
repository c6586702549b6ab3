/* Reads ELF objects of 32 and 64 bits that LLVM has just made, little-endian as this machine. */
#include "codegen/ship/ship_elf.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The parts of a section header that are needed. */
typedef struct {
    uint32_t name, type, link;
    uint64_t flags, offset, size;
} Section;

static bool is_wide(const void *object) {
    return ((const unsigned char *)object)[EI_CLASS] == ELFCLASS64;
}

#define SECTION_OF(bits)                                                                           \
    const Elf##bits##_Ehdr *header = object;                                                       \
    const Elf##bits##_Shdr *all = (const void *)((const char *)object + header->e_shoff);          \
    return (Section) {                                                                             \
        all[i].sh_name, all[i].sh_type, all[i].sh_link, all[i].sh_flags, all[i].sh_offset,         \
            all[i].sh_size                                                                         \
    }

static Section section_at(const void *object, uint32_t i) {
    if (is_wide(object)) {
        SECTION_OF(64);
    }
    SECTION_OF(32);
}

static uint32_t section_count(const void *object) {
    return is_wide(object) ? ((const Elf64_Ehdr *)object)->e_shnum
                           : ((const Elf32_Ehdr *)object)->e_shnum;
}

static const char *text_at(const void *object, uint32_t section, uint32_t at) {
    return (const char *)object + section_at(object, section).offset + at;
}

size_t elf_code_bytes(const void *object) {
    size_t bytes = 0;
    uint32_t names = is_wide(object) ? ((const Elf64_Ehdr *)object)->e_shstrndx
                                     : ((const Elf32_Ehdr *)object)->e_shstrndx;
    for (uint32_t i = 0; i < section_count(object); i++) {
        Section section = section_at(object, i);
        const char *name = text_at(object, names, section.name);
        bool loaded = section.flags & SHF_ALLOC,
             unwinding = strstr(name, "eh_frame") || strstr(name, "ARM.ex");
        if (loaded && !unwinding && !strstr(name, "_weights")) bytes += section.size;
    }
    return bytes;
}

/* The name of symbol k if the object does not define it; otherwise NULL. */
static const char *undefined_name(const void *object, const Section *table, size_t k) {
    const char *symbols = (const char *)object + table->offset;
    const Elf64_Sym *wide = (const void *)symbols;
    const Elf32_Sym *narrow = (const void *)symbols;
    uint32_t place = is_wide(object) ? wide[k].st_shndx : narrow[k].st_shndx,
             name = is_wide(object) ? wide[k].st_name : narrow[k].st_name;
    return place == SHN_UNDEF ? text_at(object, table->link, name) : NULL;
}

const char *elf_undefined_symbol(const void *object, const char *known) {
    size_t each = is_wide(object) ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    for (uint32_t i = 0; i < section_count(object); i++) {
        Section table = section_at(object, i);
        for (size_t k = 1; table.type == SHT_SYMTAB && k < table.size / each; k++) {
            const char *name = undefined_name(object, &table, k);
            if (name && (!known || strcmp(name, known) != 0)) return name;
        }
    }
    return NULL;
}
