#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write powers.inc: powers of ten as 128-bit numbers, for the shortest text of a double (double.c).

Entry k - FIRST is 10**k times the power of two that puts it into [2**127, 2**128), rounded up."""
import os

FIRST, LAST = -292, 324


def entry(k):
    if k >= 0:
        value = 10 ** k
        shift = 128 - value.bit_length()
        return value << shift if shift >= 0 else -(-value >> -shift)
    value = 10 ** -k
    shift = 127 + value.bit_length()
    g = -(-(1 << shift) // value)
    return g if g < 1 << 128 else -(-(1 << (shift - 1)) // value)


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "powers.inc"), "w") as out:
    out.write("// SPDX-License-Identifier: MIT\n// Made by powers.py; do not edit. {upper, lower} half of each.\n")
    for k in range(FIRST, LAST + 1):
        g = entry(k)
        assert 1 << 127 <= g < 1 << 128
        out.write(f"{{0x{g >> 64:016x}, 0x{g & (1 << 64) - 1:016x}}}, /* {k} */\n")
