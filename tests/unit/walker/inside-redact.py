# SPDX-License-Identifier: MIT
"""A redacted dump of this very process: no datum planted stands in it, equal ones are seen to be equal, and the program's own names stay.

    inside-redact.py HARNESS.so FOLDER      prints one line a difference, exit 1 if there is any
"""
import asyncio
import datetime
import decimal
import enum
import fractions
import ipaddress
import os
import pathlib
import random
import re
import subprocess
import sys
import threading
import traceback
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dumpfile
import inprocess

HERE = os.path.abspath(__file__)
FOLDER = os.path.abspath(sys.argv[2])
failures = []


def check(condition, what, *have):
    if not condition:
        failures.append("%s: %r" % (what, have))


class Session:
    def __init__(self, token):
        self.token = token


def secret(n):
    return "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(n))


def function_of_ours(argument):
    yield argument


def closure(value):
    return lambda: value


async def wait(future):
    await future


def plant(loop):
    """Returns {what: object} and the byte strings that must not be found."""
    text, wide, number, real = secret(24), secret(20) + "\u20ac", random.getrandbits(60) | 1 << 59, random.random() + 7
    digits = str(number)
    key, path, name, message, octets = secret(18), "/home/" + secret(17), secret(19), secret(21), secret(22)
    objects = {
        "str": text, "copy": "".join([text[:3], text[3:]]), "wide": wide, "int": number, "same int": int(digits), "negative": -number,
        "float": real, "complex": complex(3, real), "bytes": octets.encode(), "bytearray": bytearray(octets.encode()),
        "dict": {key: 1, 5: 2}, "class": Session(text), "path": pathlib.PurePosixPath(path), "exception": ValueError(message),
        "exception of two": OSError(number, message), "thread": threading.Thread(name=name),
        "task": loop.create_task(wait(loop.create_future())), "named task": loop.create_task(wait(loop.create_future())),
        "cell": closure(text).__closure__[0], "date": datetime.datetime(1234, 5, 6, 7, 8, 9), "decimal": decimal.Decimal(number),
        "uuid": uuid.UUID(int=number), "slice": slice(number), "range": range(number), "function": function_of_ours,
        "generator": function_of_ours(number), "none": None,
    }
    regex, file, argument, choice = secret(23), secret(16), secret(15), secret(14)
    with open(os.path.join(FOLDER, file), "wb"):
        pass
    objects["regex"], objects["file"] = re.compile(regex), open(os.path.join(FOLDER, file))
    objects["process"] = subprocess.Popen(["true", argument])
    objects["process"].wait()
    objects["enum"], objects["fraction"] = enum.Enum("Choice", {"ONE": choice}).ONE, fractions.Fraction(number, 7)
    objects["address"], objects["lock"] = ipaddress.IPv4Address(number & 0xffffffff), threading.Lock()
    objects["named task"].set_name(name)
    next(objects["generator"])
    setattr(objects["class"], "an attribute " + key, 1)
    asked = pathlib.PurePosixPath(path)
    str(asked)
    objects["asked path"] = asked
    loop.call_soon(loop.stop)
    loop.run_forever()
    hidden = [text, wide[:20], digits, repr(real), key, path, path[6:], name, message, octets, "1234-05-06", "%x" % number, regex, file, argument, choice,
              str(objects["address"])]
    return objects, [s.encode() for s in hidden]


def content(dump, o):
    row = dump.objects.get(id(o))
    return row and (row.content or b"").decode()


def is_hash(text):
    return len(text) > 18 and text[0] == "#" and all(c in "0123456789abcdef" for c in text[1:17]) and text[17] == " "


def compare(dump, objects):
    at = "function_of_ours at %s:%d" % (HERE, function_of_ours.__code__.co_firstlineno)
    equal = lambda a, b: check(content(dump, objects[a]) == content(dump, objects[b]), "%s and %s" % (a, b),
                               content(dump, objects[a]), content(dump, objects[b]))
    equal("str", "copy")
    equal("int", "same int")
    equal("bytes", "bytearray")
    equal("path", "asked path")
    for what in "str wide int float complex bytes bytearray path exception thread date decimal uuid".split():
        check(is_hash(content(dump, objects[what])), what, content(dump, objects[what]))
    for what in "regex fraction address".split():
        check(is_hash(content(dump, objects[what])), what, content(dump, objects[what]))
    check(content(dump, objects["file"]).startswith("rb fd %d '#" % objects["file"].fileno()), "file", content(dump, objects["file"]))
    check(content(dump, objects["process"]).startswith("pid %d ended with " % objects["process"].pid), "process",
          content(dump, objects["process"]))
    check(content(dump, objects["enum"]).startswith("Choice.ONE: '#"), "enum", content(dump, objects["enum"]))
    check(content(dump, objects["lock"]) == "unlocked", "lock", content(dump, objects["lock"]))
    check(content(dump, objects["str"]).endswith(" 24"), "length", content(dump, objects["str"]))
    check(content(dump, objects["wide"]).endswith(" 21"), "length", content(dump, objects["wide"]))
    check(content(dump, objects["int"]) != content(dump, objects["negative"]), "sign")
    check(content(dump, objects["function"]) == at, "function", content(dump, objects["function"]))
    check(content(dump, objects["none"]) == "None", "None", content(dump, objects["none"]))
    check(content(dump, Session) == "__main__.Session", "class", content(dump, Session))
    check(content(dump, os) == "os", "module", content(dump, os))
    check(content(dump, objects["task"]).startswith("Task-"), "task", content(dump, objects["task"]))
    check(is_hash(content(dump, objects["named task"])) and " pending wait at " in content(dump, objects["named task"]), "named task",
          content(dump, objects["named task"]))
    check("sys.modules" in [name for _, _, name, _ in dump.roots], "roots")
    frames = [f for t in dump.threads for f in t["frames"] if f["qualname"] == "main"]
    check(frames and "<local objects>" in [name for name, _ in frames[0]["refs"]], "names of locals", frames)
    check(dump.meta.get("content.redacted"), "meta", dump.meta)


def main():
    harness = inprocess.Harness(sys.argv[1])
    data = os.path.join(sys.argv[2], "redacted.heap")
    objects, hidden = plant(asyncio.new_event_loop())
    seen = []
    for _ in range(2):
        result = harness.run(data, content=256, flags=inprocess.REDACT)
        check(result["status"] == 0 and result["skipped"] == 0, "result", result)
        raw = open(data, "rb").read()
        for datum in hidden:
            check(datum not in raw, "in the dump", datum, raw[max(0, raw.find(datum) - 40):raw.find(datum) + 40])
        dump = dumpfile.Dump(data)
        compare(dump, objects)
        seen.append(content(dump, objects["str"]))
        del dump, raw
    check(seen[0] != seen[1], "the key of every dump is its own", seen)
    harness.run(data, content=256)
    raw = open(data, "rb").read()
    missing = [datum for datum in hidden if datum not in raw]
    check(len(missing) <= 3, "an open dump shows what this test looks for", missing)
    for line in failures[:40]:
        print(line)
    sys.stdout.flush()
    os._exit(1 if failures else 0)


try:
    main()
except BaseException:
    traceback.print_exc()
    os._exit(2)
