# SPDX-License-Identifier: MIT
"""Objects that a dump must show with their value or state; without a frame."""
import array
import collections
import contextvars
import datetime
import decimal
import enum
import fractions
import io
import ipaddress
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import uuid

from expected import expect


def values():
    for s in ("fresh text", "h\xe9llo", "\u20ac" * 3, "\U0001f600x", "a\ud800b", "nul\0in", ""):
        s = "".join([s, "!"])
        expect(s, s)
    expect("x" * 5000, "x" * 4096)
    expect("\u20ac" * 2000, "\u20ac" * 1365)  # 4095 bytes: never cut inside a character
    for b in (b"by" + bytes([1]), bytes(range(256)), bytearray(b"abc"), bytearray()):
        expect(b, bytes(b))
    for i in (10 ** 6, -10 ** 6, 2 ** 30, -2 ** 60, 2 ** 63, 2 ** 64 - 1, 1 - 2 ** 64, 1000003 ** 3):
        expect(i, str(i))
        expect(Int(i), str(i))
    for i in (2 ** 64, -2 ** 64, 10 ** 100, -7 ** 77, 2 ** 1000 + 1, 16 ** 31):
        expect(i, hex(i))
    for f in (0.5, -0.0, 1e300, 5e-324, 0.1 + 0.2, 1 / 3, 123456789012345680.0, 1e16, 1e22, 123456.0, 1e-5, 0.0001, float("inf"),
              -float("inf"), float("nan"), 2.0 ** 53, 9007199254740993.0, 1.7976931348623157e308, 2.2250738585072014e-308):
        f = f * 1.0
        expect(f, repr(f))
        expect(Float(f), repr(f))
    for c in (1 + 2j, -0.5j, complex(-0.0, 3), complex(1, -0.0), complex(2, float("nan")), complex(float("inf"), 1)):
        expect(c, repr(c))
    expect(slice(1, None, 70000), "slice(1, None, 70000)")
    for r in (range(5, 9), range(0, 70000, 3), range(9, 1, -1)):
        expect(r, repr(r))
    zone = datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))
    for d in (datetime.date(2024, 2, 29), datetime.datetime(1, 2, 3, 4, 5, 6), datetime.datetime(2024, 1, 2, 3, 4, 5, 60, zone),
              datetime.time(1, 2, 3), datetime.time(1, 2, 3, 400000, datetime.timezone.utc), datetime.timedelta(5, 61, 7),
              datetime.timedelta(-1, 3), datetime.timedelta(0, 3600 * 5), datetime.datetime.max):
        expect(d, str(d))
    for d in ("0", "-0.00", "1.5", "123456789012345678901234567890.12345", "1E+5", "1E-9", "-Infinity", "NaN", "sNaN12", "0E-8", "5e-7",
              "1234567890123456789", "12345678901234567890E300", "0.000001", "0.0000001"):
        d = decimal.Decimal(d)
        expect(d, str(d) if "NaN" not in str(d) else str(d).rstrip("0123456789"))
    expect(uuid.UUID("12345678-9abc-def0-1234-56789abcdef0"), "12345678-9abc-def0-1234-56789abcdef0")
    expect(uuid.UUID(int=5), str(uuid.UUID(int=5)))
    for p in ("/usr/lib/x", "a/b/c", "/"):
        expect(pathlib.PurePosixPath(p), p)
        asked = pathlib.PosixPath(p)
        str(asked)
        expect(asked, p)
    expect(ValueError("what went wrong"), "what went wrong")
    for e in (OSError(2, "No such file"), FileNotFoundError(2, "No such file", "/some/name"), OSError(5, "Text", "/from", None, "/to"),
              OSError("text alone"), ConnectionResetError(104, "Reset"), socket.timeout("timed out"), UnreadableFile(13, "Denied", "/x")):
        expect(e, str(e))
    expect(OSError(2, "No such file", 7), "[Errno 2] No such file: 7")
    expect(OSError(1, 2, 3, 4, 5, 6), "1, 2, 3, 4, 5, 6")
    for e in (OSError(1, 2), OSError("a text", "for a number"), OSError(None, "text"), OSError(5, None), SyntaxError("a\u20acb"), SyntaxError(),
              SyntaxError("msg", ("/some/file.py", 3, 4, "text")), SyntaxError("msg", ("file.py", None, 4, "text")), IndentationError("x", ("/", 1, 2, None)),
              SyntaxError(7, (None, 10 ** 6, 4, "text")), SyntaxError(None, ("", 1, 2, "t")), TabError(), OwnSyntax("msg", ("/\u20ac/\u20ac.py", 3, 4, "t")),
              broken_source()):
        expect(e, str(e))
    expect(KeyError(5), "5")
    for e in (UnicodeDecodeError("utf-8", b"ab\xff", 2, 3, "no start"), UnicodeDecodeError("utf-8", b"ab\xff", 0, 3, "no start"),
              UnicodeTranslateError("\xe9", 0, 1, "no"), UnicodeEncodeError("ascii", "a\xe9\u20ac\U0001f600", 1, 2, "not there"),
              UnicodeEncodeError("ascii", "a\xe9\u20ac\U0001f600", 2, 3, "not there"),
              UnicodeEncodeError("ascii", "a\xe9\u20ac\U0001f600", 3, 4, "not there"),
              UnicodeEncodeError("ascii", "a\xe9\u20ac\U0001f600", 1, 4, "not there")):
        expect(e, str(e))
    if sys.version_info >= (3, 11):
        group = ExceptionGroup("several", [ValueError(1), TypeError(2)])
        expect(group, "several (2 sub-exceptions)")
        expect(group.derive([group]), "several (1 sub-exception)")
    path = "/" + "folder/" * 700 + "file.py"
    for name in ("f", "f\u20ac"):
        space = {}
        exec(compile("\n\ndef %s(): pass" % name[0], path if name == "f" else path.replace("f", "\xf6"), "exec"), space)
        function = space["f"]
        room = 4096 - len("f at ") - 24
        end = function.__code__.co_filename
        while len(end.encode()) > room - 3:
            end = end[1:]
        expect(function, "f at \u2026" + end[end.index("/"):] + ":3")
    expect(Exception(), "")
    expect({"a": 1, "bb": 2, 3: 4, None: 5, 2.5: 6, (1,): 7}, "a,bb,3,None,2.5,<tuple>")
    expect({}, "")
    removed = {str(i): i for i in range(10)}
    del removed["3"]
    expect(removed, "0,1,2,4,5,6,7,8,9")


class OwnSyntax(SyntaxError):
    __slots__ = ("slot",)


def broken_source():
    try:
        compile("x = 1\ny = (", "/a/folder/broken.py", "exec")
    except SyntaxError as e:
        return e


class Float(float):
    pass


class Int(int):
    pass


class UnreadableFile(PermissionError):
    __slots__ = ("slot",)


class Colour(enum.Enum):
    RED = 1
    BLUE = "b"


class Shade(enum.IntEnum):
    DARK = 70001


def handles():
    """What stands for something outside, and in which state it is."""
    expect(Colour.RED, "Colour.RED: 1")
    expect(Colour.BLUE, "Colour.BLUE: 'b'")
    expect(Shade.DARK, "70001")
    expect(fractions.Fraction(-3, 4), "-3/4")
    expect(fractions.Fraction(12), "12")
    expect(ipaddress.IPv4Address("10.200.3.4"), "10.200.3.4")
    expect(re.compile("a+(b|€)"), "a+(b|€)")
    expect(re.compile(b"bytes?"), "bytes?")
    expect(datetime.timezone(datetime.timedelta(hours=5, minutes=45)), "+05:45")
    expect(contextvars.ContextVar("some variable"), "some variable")
    expect(collections.deque([1, 2, 3]), "3 items")
    expect(collections.deque([1], maxlen=7), "1 item, maxlen 7")
    expect(array.array("d", [1, 2]), "'d' 2 items")
    expect(io.BytesIO(b"x" * 99), "99 bytes")
    left, right = socket.socketpair()
    expect(left, "fd %d unix stream" % left.fileno())
    right.settimeout(2.5)
    expect(right, "fd %d unix stream timeout 2500 ms" % right.fileno())
    open_one = expect(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "")
    open_one.setblocking(False)
    expect(open_one, "fd %d inet datagram non-blocking" % open_one.fileno())
    for kind, proto, shown in ((socket.SOCK_STREAM, socket.IPPROTO_TCP, "stream tcp"), (socket.SOCK_DGRAM, socket.IPPROTO_UDP, "datagram udp")):
        s = socket.socket(socket.AF_INET, kind, proto)
        expect(s, "fd %d inet %s" % (s.fileno(), shown))
    for family, kind, proto, shown in ((socket.AF_INET6, socket.SOCK_STREAM, 0, "inet6 stream"), (socket.AF_INET, socket.SOCK_RAW, 1, "inet raw proto 1"),
                                       (socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, "unix type 5"), (socket.AF_NETLINK, socket.SOCK_RAW, 15, "family 16 raw proto 15")):
        s = socket.socket(family, kind, proto, fileno=os.dup(left.fileno()))  # takes its word for it
        expect(s, "fd %d %s" % (s.fileno(), shown))
    gone = socket.socket()
    gone.close()
    expect(gone, "closed inet stream")
    for mode, shown in (("r", "rb"), ("w", "wb"), ("r+", "rb+"), ("a", "ab")):
        raw = io.FileIO("/dev/null", mode)
        expect(raw, "%s fd %d '/dev/null'" % (shown, raw.fileno()))
    text = open("/dev/null")
    for stream in (text, text.buffer, text.buffer.raw):
        expect(stream, "rb fd %d '/dev/null'" % text.fileno())
    closed = io.FileIO("/dev/null")
    closed.close()
    expect(closed, "rb closed '/dev/null'")
    unlocked, locked = threading.Lock(), threading.Lock()
    locked.acquire()
    expect(unlocked, "unlocked")
    expect(locked, "locked")
    mine, free = threading.RLock(), threading.RLock()
    mine.acquire()
    expect(free, "unlocked")
    expect(mine, "locked by thread %d" % threading.get_ident())
    twice = threading.RLock()
    twice.acquire()
    twice.acquire()
    expect(twice, "locked by thread %d, 2 times" % threading.get_ident())
    event, happened = threading.Event(), threading.Event()
    happened.set()
    expect(event, "not set")
    expect(happened, "set")
    ended = subprocess.Popen(["true", "an argument"])
    ended.wait()
    expect(ended, "pid %d ended with 0 'true' 'an argument'" % ended.pid)
