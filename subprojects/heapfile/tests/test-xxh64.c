// SPDX-License-Identifier: MIT
/* hf_xxh64 against values that its author and others publish; a reader in another language uses a library's XXH64. */
#include <heapfile/writer.h>
#include <glib.h>
#include <string.h>

static void
test_texts(void)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } table[] = {
        {"", 0xef46db3751d8e999},
        {"a", 0xd24ec4f1a98c6e5b},
        {"abc", 0x44bc2cf5ad770999},
        {"Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        g_assert_cmphex(hf_xxh64(table[i].text, strlen(table[i].text), 0), ==, table[i].hash);
}

/* The self test of the reference implementation: bytes of a simple generator, lengths that end in each of the loops. */
static void
test_reference(void)
{
    const uint64_t seed = 2654435761;
    static const struct {
        size_t n;
        uint64_t plain, seeded;
    } table[] = {
        {0, 0xef46db3751d8e999, 0xac75fda2929b17ef},   {1, 0xe934a84adb052768, 0x5014607643a9b4c3},
        {4, 0x9136a0dca57457ee, 0xcaab286bd8e9fdb5},   {14, 0x8282dcc4994e35c8, 0xc3bd6bf63deb6df0},
        {222, 0xb641ae8cb691c174, 0x20cb8ab7ae10c14a},
    };
    uint8_t bytes[222];
    uint64_t g = seed;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(g >> 56);
        g *= 11400714785074694797ull;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_assert_cmphex(hf_xxh64(bytes, table[i].n, 0), ==, table[i].plain);
        g_assert_cmphex(hf_xxh64(bytes, table[i].n, seed), ==, table[i].seeded);
    }
}

/* Bytes anywhere in memory hash alike. */
static void
test_unaligned(void)
{
    uint8_t bytes[100];
    for (size_t at = 0; at < 9; at++) {
        memcpy(bytes + at, "Nobody inspects the spammish repetition", 39);
        g_assert_cmphex(hf_xxh64(bytes + at, 39, 0), ==, 0xfbcea83c8a378bf1);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heapfile/xxh64/texts", test_texts);
    g_test_add_func("/heapfile/xxh64/reference", test_reference);
    g_test_add_func("/heapfile/xxh64/unaligned", test_unaligned);
    return g_test_run();
}
