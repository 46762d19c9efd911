#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/heapfile.md and docs/read_heap.py against what the writer writes. Arguments: docs folder, heapfile-sample, heapfile-cat."""
import io
import os
import re
import subprocess
import sys

docs, sample, cat = sys.argv[1:]
sys.dont_write_bytecode = True
sys.path.insert(0, docs)
import read_heap  # noqa: E402
from xxh64 import xxh64  # noqa: E402

with open(os.path.join(docs, "heapfile.md"), encoding="utf-8") as f:
    page = f.read()


def dump(name):
    return subprocess.run([sample, name], stdout=subprocess.PIPE, check=True).stdout


def block(name):
    (text,) = re.findall(rf"^```{name}\n(.*?)^```$", page, re.M | re.S)
    return text


def in_c(data):
    return subprocess.run([cat], input=data, stdout=subprocess.PIPE, check=True).stdout.decode()


def in_python(data):
    out = io.StringIO()
    read_heap.Dump(out).read(io.BytesIO(data))
    return out.getvalue()


def test_hex_of_the_example():
    shown = bytearray()
    for line in block("hex").splitlines():
        match = re.fullmatch(r"([0-9a-f]{4})  ((?:[0-9a-f]{2} ?){1,16})(?: .*)?", line)
        assert match, f"not a line of hex: {line}"
        assert int(match[1], 16) == len(shown), f"offset is {len(shown):04x}: {line}"
        shown += bytes.fromhex(match[2])
    assert shown == dump("example"), "bytes differ from what heapfile-sample writes"


def test_text_of_the_example():
    assert block("text") == in_c(dump("example"))


def test_reader_is_short():
    with open(os.path.join(docs, "read_heap.py"), encoding="utf-8") as f:
        assert len(f.readlines()) <= 160


def test_xxh64():
    assert xxh64(b"", 0) == 0xEF46DB3751D8E999
    assert xxh64(b"Nobody inspects the spammish repetition", 0) == 0xFBCEA83C8A378BF1


def same_rows(name):
    data = dump(name)
    c, python = in_c(data).split("\n"), in_python(data).split("\n")
    for i, (a, b) in enumerate(zip(c, python), 1):
        assert a == b, f"line {i}: C {a[:200]!r}, Python {b[:200]!r}"
    assert len(c) == len(python), "one has more lines"


def test_rows_of_example():
    same_rows("example")


def test_rows_of_zoo():
    same_rows("zoo")


def test_rows_of_large():
    same_rows("large")


def test_end_of_the_pipe_is_no_error():
    nobody, to = os.pipe()
    os.close(nobody)
    done = subprocess.run([sys.executable, os.path.join(docs, "read_heap.py")], input=dump("example"), stdout=to, stderr=subprocess.PIPE)
    os.close(to)
    assert done.stderr == b"", done.stderr.decode()


def test_damage_is_seen():
    data = bytearray(dump("example"))
    for at in range(len(data)):
        data[at] ^= 0x10
        try:
            in_python(bytes(data))
        except Exception:
            pass
        else:
            raise AssertionError(f"a flip of byte {at} was not seen")
        data[at] ^= 0x10


tests = [(name, f) for name, f in globals().items() if name.startswith("test_")]
print(f"1..{len(tests)}")
for number, (name, f) in enumerate(tests, 1):
    try:
        f()
        print(f"ok {number} {name}", flush=True)
    except Exception as e:  # noqa: BLE001
        print(f"not ok {number} {name}\n# {type(e).__name__}: {e}", flush=True)
