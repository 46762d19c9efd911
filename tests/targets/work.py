# SPDX-License-Identifier: MIT
"""Work with known results, to show that a process computes right: SHA-256, sums of floats, copies of memory (vector registers), big
integers, a sort. Each step returns the number of wrong results."""
import hashlib
import random

BLOCK = bytes(range(256)) * 64
FLOATS = [i * 0.1 for i in range(3000)]
TEXT = ''.join(chr(65 + i % 26) for i in range(20000))
SHUFFLED = random.Random(7).sample(range(2000), 2000)


def results():
    return (
        hashlib.sha256(BLOCK).hexdigest(),
        sum(FLOATS),
        sum(x * y for x, y in zip(FLOATS, reversed(FLOATS))),
        bytes(bytearray(BLOCK) * 4)[-7:],
        TEXT.lower().upper() == TEXT,
        pow(3, 4001, 10 ** 61 + 7),
        sorted(SHUFFLED) == list(range(2000)),
    )


EXPECTED = results()


def step():
    return sum(got != expected for got, expected in zip(results(), EXPECTED))
