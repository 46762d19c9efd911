#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A complete reader of heap dumps in Python: prints one line a row. A model for readers in other languages, and the check of our own.

It follows docs/heapfile.md and nothing else. Usage: read_heap.py [FILE.heap | FILE.heap.gz]; zstd: `zstd -dc FILE.heap.zst | read_heap.py`.
"""
import gzip
import signal
import struct
import sys

from xxh64 import xxh64


def text(data, number=0):
    if number == FLOAT:
        return repr(*struct.unpack("<d", data))
    if number == INT and 0 < len(data) <= 8:
        return str(int.from_bytes(data, "little", signed=True))
    return "".join(chr(b) if 32 <= b < 127 and b != 92 else f"\\x{b:02x}" for b in data)


class Payload:
    def __init__(self, data):
        self.data, self.at = data, 0
    def u8(self):
        self.at += 1
        return self.data[self.at - 1]
    def uv(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
    def sv(self):
        value = self.uv()
        return value >> 1 ^ -(value & 1)
    def raw(self):
        n = self.uv()
        self.at += n
        return self.data[self.at - n:self.at]
    def text(self):
        return text(self.raw())
    def addr(self):
        return self.uv() << 3
    def daddr(self, prev):
        return prev + (self.sv() << 3)


GC, SIZE, COUNT, CONTENT, REFS, CONT, MORE = (1 << i for i in range(7))
CUT, REAL = 1 << 8, 1 << 9
NUMBERS, SIZED, INT, FLOAT = 1 << 5, 1 << 6, 3, 4  # flags of types, families


class Dump:
    def __init__(self, out):
        self.out, self.totals, self.types = out, dict.fromkeys(("OBJS", "refs", "TYPE", "NAME", "LAYO"), 0), []
        self.whole = None  # address, type and number of references of the object that is split
    def row_meta(self, p):
        key, kind = p.text(), p.u8()
        name, value = {1: ("uint", p.uv), 2: ("int", p.sv), 3: ("text", p.text), 4: ("bool", p.u8)}[kind]
        return f"meta {key} {name} {value()}"
    def row_name(self, p):
        return f"name {self.totals['NAME']} {p.text()}"
    def row_type(self, p):
        addr, flags, family, base = p.addr(), p.uv(), p.uv(), p.addr()
        sizes = [p.uv() for _ in range(3)]
        number = family if flags & NUMBERS and family in (INT, FLOAT) else 0
        self.types.append((sizes[2], number, flags & SIZED and not number))
        return f"type {self.totals['TYPE']} {addr:#x} flags {flags & ~NUMBERS:#x} family {family} base {base:#x} sizes {sizes[0]} {sizes[1]} {sizes[2]} {p.text()}"
    def row_layout(self, p):
        line = f"layout {self.totals['LAYO']}"
        for _ in range(p.uv()):
            kind, count = p.u8(), p.uv()
            line += f" {kind & 15}:{kind >> 4}:{count}"
            if kind & 15 == 4:
                line += ":" + ",".join(str(p.uv()) for _ in range(count))
        return line
    def row_role(self, p):
        return f"role {p.addr():#x} layout {p.uv()}"
    def row_object(self, p):
        flags = p.uv()
        if flags & CONT:
            self.totals["OBJS"] -= 1
            addr, type_id, first = self.whole
            size = count = number = sized = 0
        else:
            addr = self.prev = p.daddr(self.prev)
            type_id, first, count = p.uv(), 0, 1
            size, number, sized = self.types[type_id - 1]
        size = p.uv() if flags & SIZE else size
        count = p.uv() if flags & COUNT else count
        real = f" real {p.uv()}" if flags & REAL else ""
        content = p.raw() if flags & CONTENT else b""
        size += len(content) if sized and not flags & SIZE else 0
        content = f" content {text(content, number)}" if flags & CONTENT else ""
        whole = f" whole {p.uv()}" if flags & CUT else ""
        refs, n = "", 0
        if flags & REFS:
            refs = f" layout {p.uv()} from {first} refs"
            n, ref = p.uv(), 0 if flags & CONT else addr
            for _ in range(n):
                ref = p.daddr(ref)
                refs += f" {ref:#x}"
        self.totals["refs"] += n
        self.whole = addr, type_id, first + n
        return f"object {addr:#x} type {type_id} flags {flags:#x} size {size} count {count}{real}{whole}{refs}{content}"
    def row_root(self, p):
        kind, self.prev = p.uv(), p.daddr(self.prev)
        return f"root {kind} {self.prev:#x} name {p.uv()} counted {p.uv()}"
    def row_thread(self, p):
        if p.u8() == 1:
            return f"thread {p.uv()} native {p.uv()} state {p.uv():#x} flags {p.uv():#x} {p.text()}"
        line = f"frame {p.addr():#x} code {p.addr():#x} function {p.addr():#x} line {p.uv()} flags {p.uv():#x} refs"
        qualname, file, ref = p.text(), p.text(), 0
        for _ in range(p.uv()):
            name, ref = p.uv(), p.daddr(ref)
            line += f" {name}={ref:#x}"
        return f"{line} {qualname} at {file}"
    def row_stat(self, p):
        if p.u8() == 1:
            key = p.text()
            return f"counter {p.uv()} {key}"
        return f"skipped {p.addr():#x} {p.text()}"
    def row_end(self, p):
        said = [p.uv() for _ in range(6)]
        assert said == [*self.totals.values(), self.at], "totals"
        return "end objects {} refs {} types {} names {} layouts {} bytes {}".format(*said) + f" status {p.uv()} {p.text()}"

    ROWS = {b"META": row_meta, b"NAME": row_name, b"TYPE": row_type, b"LAYO": row_layout, b"ROLE": row_role, b"OBJS": row_object,
            b"ROOT": row_root, b"THRD": row_thread, b"STAT": row_stat, b"END!": row_end}

    def read(self, file):
        header = file.read(32)
        magic, major, minor, pointer, order, self.at, _, checksum = struct.unpack("<8sHHBBHQQ", header)
        assert magic == b"\x89HPD\r\n\x1a\n" and major in (1, 2) and order == 1, "not a dump that we know"
        assert checksum == xxh64(header[:24], 0), "checksum of the header"
        file.read(self.at - 32)
        self.out.write(f"file {major}.{minor} pointer {pointer}\n")
        kind = None
        while kind != b"END!":
            kind, n_rows, length, checksum = struct.unpack("<4sIQQ", file.read(24))
            data = file.read(length)
            assert checksum == xxh64(data, int.from_bytes(kind, "little") | n_rows << 32), "checksum"
            row, p, self.prev = self.ROWS.get(kind), Payload(data), 0
            for _ in range(n_rows if row else 0):
                if kind.decode() in self.totals:
                    self.totals[kind.decode()] += 1
                self.out.write(row(self, p) + "\n")
            assert row is None or p.at == length, "bytes behind the last row"
            self.at += 24 + length
        assert file.read(1) == b"", "bytes behind the end"


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it without a word
    stream = open(sys.argv[1], "rb") if len(sys.argv) > 1 else sys.stdin.buffer
    Dump(sys.stdout).read(gzip.open(stream) if stream.peek(2)[:2] == b"\x1f\x8b" else stream)
