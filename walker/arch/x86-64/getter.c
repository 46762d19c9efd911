// SPDX-License-Identifier: MIT
/*
 * What an attribute's C getter returns, read off its machine code: compilers turn `return Py_NewRef(self->x)`, with or without a test
 * for NULL, into a load relative to the first argument, a count, and a return. Nothing else is understood, and nothing is run.
 */
#include "../wk-arch.h"

#define STEPS_MAX 24u
#define WAYS_MAX  4u

enum {
    RAX = 0,
    RDI = 7,
    NOTHING = 8,
    PUSH_RBX = 0x53,
    POP_RBX = 0x5b,
    RET = 0xc3,
};

struct way {
    const uint8_t *at;
    unsigned object, count; /* registers: what was loaded; the low half of its reference count */
};

/* A jump on a condition; 0: there is none. */
static unsigned
conditional_jump(const uint8_t *p, const uint8_t **target)
{
    if (p[0] >= 0x70 && p[0] <= 0x7f) {
        *target = p + 2 + (int8_t)p[1];
        return 2;
    }
    if (p[0] == 0x0f && p[1] >= 0x80 && p[1] <= 0x8f) {
        *target = p + 6 + (int32_t)((uint32_t)p[2] | (uint32_t)p[3] << 8 | (uint32_t)p[4] << 16 | (uint32_t)p[5] << 24);
        return 6;
    }
    return 0;
}

/* Length of an instruction that counts a reference, or only looks at the count; 0: it is none. */
static unsigned
counts(const uint8_t *p, struct way *way)
{
    unsigned reg = p[1] >> 3 & 7, rm = p[1] & 7, mode = p[1] >> 6;
    bool count = way->count != NOTHING;

    if (p[0] == 0x48 && p[1] == 0x83 && p[2] == way->object && p[3] == 1) /* addq $1, (object) */
        return 4;
    if (p[0] == 0x48 && p[1] == 0xff && p[2] == way->object) /* incq (object) */
        return 3;
    if (p[0] == 0x8b && mode == 0 && rm == way->object && reg != way->object) { /* movl (object), count */
        way->count = reg;
        return 2;
    }
    if (p[0] == 0x89 && mode == 0 && rm == way->object && reg == way->count) /* movl count, (object) */
        return 2;
    if (count && p[0] == 0x83 && mode == 3 && rm == way->count && (reg == 0 || reg == 7)) /* addl, cmpl $n, count */
        return 3;
    if (count && p[0] == 0x81 && mode == 3 && rm == way->count && reg == 7) /* cmpl $n, count */
        return 6;
    if (way->count == RAX && p[0] == 0x3d) /* cmpl $n, %eax */
        return 5;
    if (count && p[0] == 0xff && mode == 3 && rm == way->count && reg == 0) /* incl count */
        return 2;
    if (count && p[0] == 0x85 && mode == 3 && rm == way->count && reg == way->count) /* testl count, count */
        return 2;
    if (count && p[0] == 0x8d && mode == 1 && rm == way->count && p[2] == 1 && reg != way->object) { /* leal 1(count) */
        way->count = reg;
        return 3;
    }
    return 0;
}

/* From behind the load on: returns what was loaded, whatever its count is. */
static bool
returns_it(const uint8_t *p, unsigned object, bool pushed)
{
    struct way ways[WAYS_MAX] = {{p, object, NOTHING}};
    unsigned n = 1, steps = 0;
    bool tested = false;

    while (n > 0) {
        struct way way = ways[--n];
        for (;;) {
            const uint8_t *target;
            unsigned length;
            p = way.at;
            if (++steps > STEPS_MAX)
                return false;
            if (p[0] == RET) {
                if (way.object != RAX)
                    return false;
                break;
            }
            if (pushed && p[0] == POP_RBX && way.object == RAX) {
                way.at++;
                continue;
            }
            if (!tested && p[0] == 0x48 && p[1] == 0x85 && p[2] == (0xc0 | way.object << 3 | way.object)) {
                /* testq object, object: it is not NULL */
                tested = true;
                length = conditional_jump(p + 3, &target);
                uint8_t condition = length == 0 ? 0 : p[length == 2 ? 3 : 4] & 15;
                if (condition != 4 && condition != 5)
                    return false;
                way.at = condition == 4 ? p + 3 + length : target;
                continue;
            }
            if (p[0] == 0x48 && p[1] == 0x89 && p[2] == (0xc0 | way.object << 3 | RAX)) { /* movq object, %rax */
                way.object = RAX;
                if (way.count == RAX)
                    way.count = NOTHING;
                way.at += 3;
                continue;
            }
            length = counts(p, &way);
            if (length == 0 && way.count != NOTHING) {
                /* the count of what lives for ever stays */
                length = conditional_jump(p, &target);
                if (length != 0 && n < WAYS_MAX)
                    ways[n++] = (struct way){target, way.object, way.count};
                else
                    return false;
            }
            if (length == 0)
                return false;
            way.at += length;
        }
    }
    return true;
}

int64_t
wk_arch_getter_offset(const uint8_t *code)
{
    int64_t offset;
    unsigned object;

    if (code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e && code[3] == 0xfa) /* endbr64 */
        code += 4;
    bool pushed = code[0] == PUSH_RBX; /* as clang does where the object is in rbx */
    code += pushed;
    if (code[0] != 0x48 || code[1] != 0x8b || (code[2] & 7) != RDI) /* movq offset(%rdi), object */
        return -1;
    object = code[2] >> 3 & 7;
    if (object == 4 || object == 5) /* rsp, rbp: nobody does that, and what follows looks different */
        return -1;
    if (code[2] >> 6 == 1) {
        offset = (int8_t)code[3];
        code += 4;
    } else if (code[2] >> 6 == 2) {
        offset =
            (int32_t)((uint32_t)code[3] | (uint32_t)code[4] << 8 | (uint32_t)code[5] << 16 | (uint32_t)code[6] << 24);
        code += 7;
    } else {
        return -1;
    }
    return offset > 0 && returns_it(code, object, pushed) ? offset : -1;
}
