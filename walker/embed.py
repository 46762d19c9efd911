#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a binary file as a C array: embed.py BLOB OUT.c NAME"""
import sys

blob, out, name = sys.argv[1:]
data = open(blob, "rb").read()
rows = [", ".join(f"0x{b:02x}" for b in data[i : i + 20]) for i in range(0, len(data), 20)]
with open(out, "w") as f:
    f.write("// made by embed.py\n#include <stddef.h>\n#include <stdint.h>\n#include \"wk-blob.h\"\n")
    f.write(f"const uint8_t {name}[] __attribute__((aligned(4096))) = {{\n    " + ",\n    ".join(rows) + "\n};\n")
    f.write(f"const size_t {name}_size = sizeof {name};\n")
