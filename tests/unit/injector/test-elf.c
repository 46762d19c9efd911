// SPDX-License-Identifier: MIT
/* Images made by hand, whole and broken, and this program itself in memory. */
#include <elf.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>
#include "elf-image.h"
#include "error.h"

enum { PHDRS = 64, DYN = 0x200, SYM = 0x300, STR = 0x400, HASH = 0x480, GNU = 0x580, SH = 0x700, SIZE = 0x900 };

static const char STRINGS[] = "\0alpha\0beta\0thread_local\0resolved\0missing";

static guint32
string_at(const char *name)
{
    for (guint32 i = 1; i < sizeof STRINGS; i += (guint32)strlen(STRINGS + i) + 1) {
        if (strcmp(STRINGS + i, name) == 0)
            return i;
    }
    g_assert_not_reached();
}

static guint32
gnu_hash(const char *name)
{
    guint32 h = 5381;

    while (*name)
        h = h * 33 + (guint8)*name++;
    return h;
}

typedef enum { BY_SYSV, BY_GNU, BY_SECTION } How;

/* A shared library of one segment at vaddr, with five symbols, the last not defined. */
static void
make_image(guint8 image[SIZE], How how, guint64 vaddr, guint16 type)
{
    Elf64_Ehdr eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                     .e_type = type,
                     .e_machine = EM_X86_64,
                     .e_phoff = PHDRS,
                     .e_phentsize = sizeof(Elf64_Phdr),
                     .e_phnum = how == BY_SECTION ? 1 : 2};
    const Elf64_Phdr ph[2] = {
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = vaddr, .p_filesz = SIZE, .p_memsz = SIZE},
        {.p_type = PT_DYNAMIC, .p_offset = DYN, .p_vaddr = vaddr + DYN, .p_filesz = 0x60, .p_memsz = 0x60}};
    const Elf64_Dyn dyn[] = {{DT_SYMTAB, {vaddr + SYM}},
                             {DT_STRTAB, {vaddr + STR}},
                             {DT_STRSZ, {sizeof STRINGS}},
                             {how == BY_GNU ? DT_GNU_HASH : DT_HASH, {vaddr + (how == BY_GNU ? GNU : HASH)}},
                             {DT_NULL, {0}}};
    static const char *const names[] = {"alpha", "beta", "thread_local", "resolved", "missing"};
    Elf64_Sym sym[6] = {0};

    memset(image, 0, SIZE);
    for (guint i = 0; i < 5; i++)
        sym[i + 1] = (Elf64_Sym){.st_name = string_at(names[i]),
                                 .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                                 .st_shndx = 1,
                                 .st_value = vaddr + 0x10 * (i + 1),
                                 .st_size = i + 1};
    sym[3].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_TLS);
    sym[4].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC);
    sym[5].st_shndx = SHN_UNDEF;
    if (how == BY_SECTION) {
        const Elf64_Shdr sh[3] = {
            {0},
            {.sh_type = SHT_SYMTAB, .sh_offset = SYM, .sh_size = sizeof sym, .sh_link = 2, .sh_entsize = sizeof *sym},
            {.sh_type = SHT_STRTAB, .sh_offset = STR, .sh_size = sizeof STRINGS}};
        eh.e_shoff = SH;
        eh.e_shentsize = sizeof(Elf64_Shdr);
        eh.e_shnum = 3;
        memcpy(image + SH, sh, sizeof sh);
    } else
        memcpy(image + DYN, dyn, sizeof dyn);
    memcpy(image, &eh, sizeof eh);
    memcpy(image + PHDRS, ph, sizeof ph[0] * eh.e_phnum);
    memcpy(image + SYM, sym, sizeof sym);
    memcpy(image + STR, STRINGS, sizeof STRINGS);
    /* One bucket each: all symbols in one chain. */
    const guint32 sysv[] = {1, 6, 5, 0, 0, 1, 2, 3, 4};
    memcpy(image + HASH, sysv, sizeof sysv);
    const guint32 gnu_head[] = {1, 1, 1, 6};
    const guint64 bloom = G_MAXUINT64;
    guint32 gnu[6] = {1};
    for (guint i = 0; i < 5; i++)
        gnu[i + 1] = (gnu_hash(names[i]) & ~1u) | (i == 4);
    memcpy(image + GNU, gnu_head, sizeof gnu_head);
    memcpy(image + GNU + 16, &bloom, 8);
    memcpy(image + GNU + 24, gnu, sizeof gnu);
}

static InjElf *
open_image(const guint8 *image, gsize n, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(image, n);

    return inj_elf_open_bytes(bytes, error);
}

static void
check_symbols(InjElf *elf, guint64 vaddr)
{
    InjElfSymbol s;

    g_assert_true(inj_elf_symbol(elf, "alpha", &s));
    g_assert_cmphex(s.value, ==, vaddr + 0x10);
    g_assert_cmpuint(s.size, ==, 1);
    g_assert_cmpuint(s.type, ==, STT_FUNC);
    g_assert_true(inj_elf_symbol(elf, "beta", &s));
    g_assert_cmphex(s.value, ==, vaddr + 0x20);
    g_assert_true(inj_elf_symbol(elf, "resolved", &s));
    g_assert_cmpuint(s.type, ==, STT_GNU_IFUNC);
    g_assert_false(inj_elf_symbol(elf, "thread_local", &s));
    g_assert_false(inj_elf_symbol(elf, "missing", &s));
    g_assert_false(inj_elf_symbol(elf, "alph", &s));
    g_assert_false(inj_elf_symbol(elf, "", &s));
}

static gboolean
read_moved(void *user, guint64 addr, void *out, gsize n)
{
    const guint8 *image = user;
    guint64 base = 0x7f0000000000;

    if (addr < base || addr - base > SIZE || n > SIZE - (addr - base))
        return FALSE;
    memcpy(out, image + (addr - base), n);
    return TRUE;
}

static void
test_symbols(void)
{
    for (How how = BY_SYSV; how <= BY_SECTION; how++) {
        guint8 image[SIZE];
        g_autoptr(GError) error = NULL;
        make_image(image, how, 0x1000, ET_DYN);
        g_autoptr(InjElf) elf = open_image(image, SIZE, &error);
        g_assert_no_error(error);
        check_symbols(elf, 0x1000);
        g_assert_cmphex(inj_elf_bias(elf, 0x7f0000000000), ==, 0x7f0000000000 - 0x1000);
        g_assert_cmpint(inj_elf_has_dynamic_symbols(elf), ==, how != BY_SECTION);
        g_assert_cmpuint(inj_elf_machine(elf), ==, EM_X86_64);
    }
}

/* As a loader leaves it: glibc's has made addresses in the dynamic section absolute, others have not. */
static void
test_memory(void)
{
    for (guint absolute = 0; absolute < 2; absolute++) {
        guint8 image[SIZE];
        g_autoptr(GError) error = NULL;
        make_image(image, BY_GNU, 0x1000, ET_DYN);
        for (guint i = 0; absolute && i < 4; i++) {
            Elf64_Dyn d;
            memcpy(&d, image + DYN + i * sizeof d, sizeof d);
            if (d.d_tag != DT_STRSZ)
                d.d_un.d_ptr += 0x7f0000000000 - 0x1000;
            memcpy(image + DYN + i * sizeof d, &d, sizeof d);
        }
        g_autoptr(InjElf) elf = inj_elf_open_memory(read_moved, image, 0x7f0000000000, &error);
        g_assert_no_error(error);
        check_symbols(elf, 0x1000);
    }
}

static void
test_fixed(void)
{
    guint8 image[SIZE];

    make_image(image, BY_GNU, 0x400000, ET_EXEC);
    g_autoptr(InjElf) elf = open_image(image, SIZE, NULL);
    check_symbols(elf, 0x400000);
    g_assert_true(inj_elf_is_fixed(elf));
    g_assert_cmphex(inj_elf_bias(elf, 0x400000), ==, 0);
}

static void
test_messages(void)
{
    static const struct {
        gsize at;
        guint8 value;
        const char *message;
    } cases[] = {
        {0, 'X', "no ELF magic"},
        {EI_CLASS, ELFCLASS32, "not 64-bit little-endian"},
        {EI_DATA, ELFDATA2MSB, "not 64-bit little-endian"},
        {offsetof(Elf64_Ehdr, e_phnum), 0, "no or too many program headers"},
        {offsetof(Elf64_Ehdr, e_phentsize), 1, "no or too many program headers"},
        {offsetof(Elf64_Ehdr, e_phoff) + 5, 1, "program headers are cut off"},
        {PHDRS + offsetof(Elf64_Phdr, p_filesz) + 3, 1, "a segment with impossible sizes"},
        {PHDRS + offsetof(Elf64_Phdr, p_type), 6, "nothing to load"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint8 image[SIZE];
        g_autoptr(GError) error = NULL;
        make_image(image, BY_GNU, 0, ET_DYN);
        image[cases[i].at] = cases[i].value;
        g_assert_null(open_image(image, SIZE, &error));
        g_assert_error(error, INJ_ERROR, INJ_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

/* Every length and every single changed byte: no crash, no endless loop, nothing read that is not there. */
static void
test_damage(void)
{
    for (How how = BY_SYSV; how <= BY_SECTION; how++) {
        guint8 image[SIZE];
        InjElfSymbol s;
        make_image(image, how, 0, ET_DYN);
        for (gsize n = 0; n < SIZE; n++) {
            g_autoptr(InjElf) elf = open_image(image, n, NULL);
            if (elf != NULL)
                inj_elf_symbol(elf, "beta", &s);
        }
        for (gsize at = 0; at < SIZE; at++) {
            static const guint8 flips[] = {0xff, 0x80, 1};
            for (gsize f = 0; f < G_N_ELEMENTS(flips); f++) {
                image[at] ^= flips[f];
                g_autoptr(InjElf) elf = open_image(image, SIZE, NULL);
                if (elf != NULL) {
                    inj_elf_symbol(elf, "beta", &s);
                    inj_elf_symbol(elf, "nowhere", &s);
                }
                image[at] ^= flips[f];
            }
        }
    }
}

/* A chain that leads back to itself. */
static void
test_loop(void)
{
    guint8 image[SIZE];
    const guint32 circle[] = {1, 6, 1, 0, 2, 1};
    InjElfSymbol s;

    make_image(image, BY_SYSV, 0, ET_DYN);
    memcpy(image + HASH, circle, sizeof circle);
    g_autoptr(InjElf) elf = open_image(image, SIZE, NULL);
    g_assert_false(inj_elf_symbol(elf, "nowhere", &s));
}

extern int test_elf_exported;
__attribute__((visibility("default"))) int test_elf_exported = 5;

/* A real file, by its section symbols or dynamic ones. */
static void
test_real_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(InjElf) elf = inj_elf_open_fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), &error);
    InjElfSymbol s;

    g_assert_no_error(error);
    g_assert_true(inj_elf_symbol(elf, "test_elf_exported", &s));
    g_assert_cmpuint(s.size, ==, sizeof test_elf_exported);
    g_assert_cmpuint(s.type, ==, STT_OBJECT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/elf/symbols", test_symbols);
    g_test_add_func("/elf/memory", test_memory);
    g_test_add_func("/elf/fixed", test_fixed);
    g_test_add_func("/elf/messages", test_messages);
    g_test_add_func("/elf/damage", test_damage);
    g_test_add_func("/elf/loop", test_loop);
    g_test_add_func("/elf/real-file", test_real_file);
    return g_test_run();
}
