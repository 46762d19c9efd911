// SPDX-License-Identifier: MIT
/*
 * Two ways to read: a file is read at file offsets and link-time addresses go through the PT_LOAD segments; an image in memory is read at
 * base + address. Everything that the image says is checked where it is used: counts against limits, offsets by the reads themselves.
 */
#include "elf-image.h"
#include <elf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "error.h"

enum {
    SEGMENTS_MAX = 256,
    DYNAMIC_MAX = 4096,
    CHAIN_MAX = 1 << 20, /* symbols looked at for one name */
    SECTIONS_MAX = 4096,
    NAME_MAX_BYTES = 4096,
};

typedef struct {
    guint64 symtab, strtab, strsz;
    guint64 gnu_hash, hash;
    guint64 versions;
} Tables;

struct InjElf {
    InjElfReadFn read;
    void *user;
    int fd;        /* owned; -1 */
    GBytes *bytes; /* owned; NULL */
    gboolean memory;
    guint64 base;        /* memory only: address of file offset 0 */
    guint64 first_vaddr; /* link-time address of file offset 0 */
    Elf64_Ehdr header;
    InjElfSegment segments[SEGMENTS_MAX];
    gsize n_segments;
    gboolean has_dynamic;
    Tables dynamic; /* link-time addresses; 0: absent */
    gboolean symtab_looked;
    guint64 sym_offset, sym_count, str_offset, str_size; /* .symtab, file offsets; count 0: absent */
};

static gboolean
read_fd(void *user, guint64 offset, void *out, gsize n)
{
    InjElf *e = user;

    while (n > 0) {
        if (offset > G_MAXINT64 - n)
            return FALSE;
        ssize_t r = TEMP_FAILURE_RETRY(pread(e->fd, out, n, (off_t)offset));
        if (r <= 0)
            return FALSE;
        out = (char *)out + r;
        offset += (guint64)r;
        n -= (gsize)r;
    }
    return TRUE;
}

static gboolean
read_bytes(void *user, guint64 offset, void *out, gsize n)
{
    InjElf *e = user;
    gsize size;
    const char *data = g_bytes_get_data(e->bytes, &size);

    if (offset > size || n > size - offset)
        return FALSE;
    memcpy(out, data + offset, n);
    return TRUE;
}

static gboolean
read_raw(InjElf *e, guint64 where, void *out, gsize n)
{
    return e->read(e->user, where, out, n);
}

/* Reads at a link-time address. */
static gboolean
read_at(InjElf *e, guint64 vaddr, void *out, gsize n)
{
    if (e->memory)
        return read_raw(e, inj_elf_bias(e, e->base) + vaddr, out, n);
    for (gsize i = 0; i < e->n_segments; i++) {
        const InjElfSegment *s = &e->segments[i];
        if (vaddr >= s->vaddr && vaddr - s->vaddr < s->filesz && n <= s->filesz - (vaddr - s->vaddr))
            return read_raw(e, s->offset + (vaddr - s->vaddr), out, n);
    }
    return FALSE;
}

/* The loader of glibc rewrites addresses in the dynamic section, others do not: both are taken. */
static guint64
dynamic_address(const InjElf *e, guint64 value)
{
    guint64 bias = e->memory ? inj_elf_bias(e, e->base) : 0;

    return bias != 0 && value >= bias ? value - bias : value;
}

static void
read_dynamic(InjElf *e, const Elf64_Phdr *ph)
{
    for (guint64 i = 0; i < MIN(ph->p_memsz / sizeof(Elf64_Dyn), (guint64)DYNAMIC_MAX); i++) {
        Elf64_Dyn d;
        if (!read_at(e, ph->p_vaddr + i * sizeof d, &d, sizeof d) || d.d_tag == DT_NULL)
            break;
        switch (d.d_tag) {
        case DT_SYMTAB:
            e->dynamic.symtab = dynamic_address(e, d.d_un.d_ptr);
            break;
        case DT_STRTAB:
            e->dynamic.strtab = dynamic_address(e, d.d_un.d_ptr);
            break;
        case DT_STRSZ:
            e->dynamic.strsz = d.d_un.d_val;
            break;
        case DT_GNU_HASH:
            e->dynamic.gnu_hash = dynamic_address(e, d.d_un.d_ptr);
            break;
        case DT_VERSYM:
            e->dynamic.versions = dynamic_address(e, d.d_un.d_ptr);
            break;
        case DT_HASH:
            e->dynamic.hash = dynamic_address(e, d.d_un.d_ptr);
            break;
        default:
            break;
        }
    }
    e->has_dynamic = e->dynamic.symtab != 0 && e->dynamic.strtab != 0;
}

static InjElf *
broken(InjElf *e, GError **error, const char *what)
{
    inj_elf_free(e);
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "not a usable ELF image: %s", what);
    return NULL;
}

static InjElf *
open_image(InjElf *e, GError **error)
{
    Elf64_Phdr dynamic = {0};
    gboolean first = FALSE;

    if (!read_raw(e, e->base, &e->header, sizeof e->header))
        return broken(e, error, "shorter than its header");
    if (memcmp(e->header.e_ident, ELFMAG, SELFMAG) != 0)
        return broken(e, error, "no ELF magic");
    if (e->header.e_ident[EI_CLASS] != ELFCLASS64 || e->header.e_ident[EI_DATA] != ELFDATA2LSB)
        return broken(e, error, "not 64-bit little-endian");
    if (e->header.e_phentsize != sizeof(Elf64_Phdr) || e->header.e_phnum == 0 || e->header.e_phnum > SEGMENTS_MAX)
        return broken(e, error, "no or too many program headers");
    for (guint i = 0; i < e->header.e_phnum; i++) {
        Elf64_Phdr ph;
        if (!read_raw(e, e->base + e->header.e_phoff + i * sizeof ph, &ph, sizeof ph))
            return broken(e, error, "program headers are cut off");
        if (ph.p_type == PT_DYNAMIC)
            dynamic = ph;
        if (ph.p_type != PT_LOAD)
            continue;
        if (ph.p_filesz > ph.p_memsz || ph.p_vaddr > G_MAXINT64 - ph.p_memsz || ph.p_offset > G_MAXINT64 - ph.p_filesz)
            return broken(e, error, "a segment with impossible sizes");
        e->segments[e->n_segments++] = (InjElfSegment){
            .vaddr = ph.p_vaddr,
            .offset = ph.p_offset,
            .filesz = ph.p_filesz,
            .memsz = ph.p_memsz,
            .exec = (ph.p_flags & PF_X) != 0,
        };
        /* The segment that holds offset 0 — the first one in every image that the usual linkers make. */
        if (!first) {
            first = TRUE;
            e->first_vaddr = ph.p_vaddr - ph.p_offset;
        }
    }
    if (!first)
        return broken(e, error, "nothing to load");
    if (dynamic.p_type == PT_DYNAMIC)
        read_dynamic(e, &dynamic);
    return e;
}

InjElf *
inj_elf_open_fd(int fd, GError **error)
{
    InjElf *e = g_new0(InjElf, 1);

    e->fd = fd;
    e->read = read_fd;
    e->user = e;
    return open_image(e, error);
}

InjElf *
inj_elf_open_bytes(GBytes *bytes, GError **error)
{
    InjElf *e = g_new0(InjElf, 1);

    e->fd = -1;
    e->bytes = g_bytes_ref(bytes);
    e->read = read_bytes;
    e->user = e;
    return open_image(e, error);
}

InjElf *
inj_elf_open_memory(InjElfReadFn read, void *user, guint64 base, GError **error)
{
    InjElf *e = g_new0(InjElf, 1);

    e->fd = -1;
    e->memory = TRUE;
    e->base = base;
    e->read = read;
    e->user = user;
    return open_image(e, error);
}

void
inj_elf_free(InjElf *e)
{
    if (e == NULL)
        return;
    if (e->fd >= 0)
        close(e->fd);
    g_clear_pointer(&e->bytes, g_bytes_unref);
    g_free(e);
}

guint16
inj_elf_machine(const InjElf *e)
{
    return e->header.e_machine;
}

gboolean
inj_elf_is_fixed(const InjElf *e)
{
    return e->header.e_type == ET_EXEC;
}

const InjElfSegment *
inj_elf_segments(const InjElf *e, gsize *n)
{
    *n = e->n_segments;
    return e->segments;
}

guint64
inj_elf_bias(const InjElf *e, guint64 base)
{
    return inj_elf_is_fixed(e) ? 0 : base - e->first_vaddr;
}

gboolean
inj_elf_has_dynamic_symbols(const InjElf *e)
{
    return e->has_dynamic;
}

/* TRUE when the string at offset in the string table is name (n bytes with its NUL). */
static gboolean
dynamic_name_is(InjElf *e, guint64 offset, const char *name, gsize n)
{
    char text[NAME_MAX_BYTES];

    if (e->dynamic.strsz != 0 && (offset >= e->dynamic.strsz || n > e->dynamic.strsz - offset))
        return FALSE;
    return read_at(e, e->dynamic.strtab + offset, text, n) && memcmp(text, name, n) == 0;
}

/* An old version of a symbol, there for old programs only: memcpy of glibc has one. */
static gboolean
is_old_version(InjElf *e, guint64 index)
{
    guint16 version;

    return e->dynamic.versions != 0 &&
           read_at(e, e->dynamic.versions + index * sizeof version, &version, sizeof version) &&
           (version & 0x8000) != 0;
}

static gboolean
dynamic_symbol(InjElf *e, guint64 index, const char *name, gsize n, Elf64_Sym *sym)
{
    return read_at(e, e->dynamic.symtab + index * sizeof *sym, sym, sizeof *sym) && sym->st_shndx != SHN_UNDEF &&
           ELF64_ST_TYPE(sym->st_info) != STT_TLS && dynamic_name_is(e, sym->st_name, name, n) &&
           !is_old_version(e, index);
}

/* Layout of the table: the GNU hash section as binutils and glibc (elf/dl-lookup.c) know it. */
static gboolean
gnu_lookup(InjElf *e, const char *name, gsize n, Elf64_Sym *sym)
{
    guint32 head[4]; /* buckets, first symbol, bloom words, bloom shift */
    guint32 h = 5381, bucket, link;
    guint64 word;

    for (const char *p = name; *p; p++)
        h = h * 33 + (guint8)*p;
    if (!read_at(e, e->dynamic.gnu_hash, head, sizeof head) || head[0] == 0 || head[2] == 0)
        return FALSE;
    guint64 bloom = e->dynamic.gnu_hash + sizeof head;
    guint64 buckets = bloom + 8ull * head[2];
    guint64 chains = buckets + 4ull * head[0];
    if (!read_at(e, bloom + 8ull * ((h / 64) % head[2]), &word, sizeof word))
        return FALSE;
    if (!(word >> (h % 64) & 1) || !(word >> ((h >> (head[3] & 31)) % 64) & 1))
        return FALSE;
    if (!read_at(e, buckets + 4ull * (h % head[0]), &bucket, sizeof bucket) || bucket < head[1])
        return FALSE;
    for (guint i = 0; i < CHAIN_MAX; i++) {
        if (!read_at(e, chains + 4ull * (bucket - head[1] + (guint64)i), &link, sizeof link))
            return FALSE;
        if ((link | 1) == (h | 1) && dynamic_symbol(e, bucket + (guint64)i, name, n, sym))
            return TRUE;
        if (link & 1)
            return FALSE;
    }
    return FALSE;
}

static gboolean
sysv_lookup(InjElf *e, const char *name, gsize n, Elf64_Sym *sym)
{
    guint32 head[2]; /* buckets, chains */
    guint32 h = 0, index;

    for (const char *p = name; *p; p++) {
        h = (h << 4) + (guint8)*p;
        h ^= (h >> 24) & 0xf0;
        h &= 0x0fffffff;
    }
    if (!read_at(e, e->dynamic.hash, head, sizeof head) || head[0] == 0)
        return FALSE;
    guint64 buckets = e->dynamic.hash + sizeof head;
    guint64 chains = buckets + 4ull * head[0];
    if (!read_at(e, buckets + 4ull * (h % head[0]), &index, sizeof index))
        return FALSE;
    for (guint i = 0; i < CHAIN_MAX && index != 0 && index < head[1]; i++) {
        if (dynamic_symbol(e, index, name, n, sym))
            return TRUE;
        if (!read_at(e, chains + 4ull * index, &index, sizeof index))
            return FALSE;
    }
    return FALSE;
}

static void
find_symtab(InjElf *e)
{
    e->symtab_looked = TRUE;
    if (e->memory || e->header.e_shentsize != sizeof(Elf64_Shdr) || e->header.e_shnum > SECTIONS_MAX)
        return;
    for (guint i = 0; i < e->header.e_shnum; i++) {
        Elf64_Shdr sh, str;
        if (!read_raw(e, e->header.e_shoff + i * sizeof sh, &sh, sizeof sh))
            return;
        if (sh.sh_type != SHT_SYMTAB || sh.sh_link >= e->header.e_shnum)
            continue;
        if (!read_raw(e, e->header.e_shoff + sh.sh_link * sizeof str, &str, sizeof str))
            return;
        e->sym_offset = sh.sh_offset;
        e->sym_count = MIN(sh.sh_size / sizeof(Elf64_Sym), (guint64)CHAIN_MAX * 8);
        e->str_offset = str.sh_offset;
        e->str_size = str.sh_size;
        return;
    }
}

/* Linear: only for images without a dynamic symbol table, or for a local symbol. */
static gboolean
symtab_lookup(InjElf *e, const char *name, gsize n, Elf64_Sym *sym)
{
    enum { BATCH = 1024 };
    g_autofree Elf64_Sym *batch = NULL;
    char text[NAME_MAX_BYTES];

    if (!e->symtab_looked)
        find_symtab(e);
    batch = g_new(Elf64_Sym, BATCH);
    for (guint64 i = 0; i < e->sym_count; i += BATCH) {
        gsize k = (gsize)MIN(e->sym_count - i, (guint64)BATCH);
        if (!read_raw(e, e->sym_offset + i * sizeof *batch, batch, k * sizeof *batch))
            return FALSE;
        for (gsize j = 0; j < k; j++) {
            const Elf64_Sym *s = &batch[j];
            if (s->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(s->st_info) == STT_TLS || s->st_name >= e->str_size ||
                n > e->str_size - s->st_name)
                continue;
            if (read_raw(e, e->str_offset + s->st_name, text, n) && memcmp(text, name, n) == 0) {
                *sym = *s;
                return TRUE;
            }
        }
    }
    return FALSE;
}

gboolean
inj_elf_symbol(InjElf *e, const char *name, InjElfSymbol *out)
{
    Elf64_Sym sym;
    gsize n = strlen(name) + 1;
    gboolean found = FALSE;

    g_assert(n <= NAME_MAX_BYTES);
    if (e->has_dynamic) {
        if (e->dynamic.gnu_hash != 0)
            found = gnu_lookup(e, name, n, &sym);
        else if (e->dynamic.hash != 0)
            found = sysv_lookup(e, name, n, &sym);
    }
    if (!found && !symtab_lookup(e, name, n, &sym))
        return FALSE;
    *out = (InjElfSymbol){.value = sym.st_value, .size = sym.st_size, .type = ELF64_ST_TYPE(sym.st_info)};
    return TRUE;
}
