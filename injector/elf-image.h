// SPDX-License-Identifier: MIT
#pragma once
/*
 * Bounded reader of 64-bit little-endian ELF images: machine, segments, symbols. Reads a file, bytes, or the image as it lies in the
 * target's memory (which works for deleted files and in every namespace). Nothing in the image makes it read out of bounds or loop.
 * One thread at a time.
 */
#include <glib.h>

typedef struct InjElf InjElf;

typedef struct {
    guint64 vaddr, offset, filesz, memsz;
    gboolean exec;
} InjElfSegment;

/* Takes n bytes at offset; FALSE when they are not all there. */
typedef gboolean (*InjElfReadFn)(void *user, guint64 offset, void *out, gsize n);

/* All fail with INJ_ERROR_FAILED and say what is wrong with the image. */
InjElf *inj_elf_open_fd(int fd, GError **error); /* consumes fd */
InjElf *inj_elf_open_bytes(GBytes *bytes, GError **error);
/* An image in memory whose first mapped page (file offset 0) lies at base; read takes addresses. */
InjElf *inj_elf_open_memory(InjElfReadFn read, void *user, guint64 base, GError **error);
void inj_elf_free(InjElf *elf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InjElf, inj_elf_free)

guint16 inj_elf_machine(const InjElf *elf);   /* EM_* */
gboolean inj_elf_is_fixed(const InjElf *elf); /* ET_EXEC: addresses need no bias */
/* PT_LOAD segments in the order of the file. Borrowed. */
const InjElfSegment *inj_elf_segments(const InjElf *elf, gsize *n);
/* What to add to a symbol's value when file offset 0 of the image is mapped at base. */
guint64 inj_elf_bias(const InjElf *elf, guint64 base);

typedef struct {
    guint64 value; /* without bias */
    guint64 size;
    guint8 type; /* STT_* */
} InjElfSymbol;

/* A defined symbol of .dynsym, else of .symtab (files only). FALSE: not there. */
gboolean inj_elf_symbol(InjElf *elf, const char *name, InjElfSymbol *out);
/* TRUE when the image has a table of dynamic symbols. */
gboolean inj_elf_has_dynamic_symbols(const InjElf *elf);
