# SPDX-License-Identifier: MIT
"""What was planted for inside-contents.py, what it must read in the dump, and where that differs."""

failures = []
plain = {}      # id → (what, expected content)
keep = []


def fail(what, have, expected):
    failures.append("%s: have %r, expected %r" % (what, have, expected))


def expect(o, text, what=None):
    keep.append(o)
    plain[id(o)] = (what or type(o).__name__, text)
    return o
