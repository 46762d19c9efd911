# SPDX-License-Identifier: MIT
"""Runs the walker over this very process, in a forked child, through wk-harness.so: no GDB needed.

    result = harness.run(library, data_path, result_path)
"""
import ctypes
import os
import sys

GHOST, INLINE = 1, 2
REDACT = 1


class Request(ctypes.Structure):
    _fields_ = [
        ("data_path", ctypes.c_char_p),
        ("result_path", ctypes.c_char_p),
        ("content_limit", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("memory_limit", ctypes.c_uint64),
        ("mode", ctypes.c_int32),
        ("use_blob", ctypes.c_int32),
        ("oracle", ctypes.c_int32),
        ("status", ctypes.c_int32),
        ("faults", ctypes.c_int64),
    ]


class Result(ctypes.Structure):
    _fields_ = [
        ("status", ctypes.c_uint32),
        ("stage", ctypes.c_uint32),
        ("error", ctypes.c_int32),
        ("reserved", ctypes.c_uint32),
    ] + [
        (name, ctypes.c_uint64)
        for name in "address objects refs bytes types skipped wall_us cpu_us memory".split()
    ]

    def as_dict(self):
        return {name: getattr(self, name) for name, _ in self._fields_}


class Harness:
    def __init__(self, library):
        self.lib = ctypes.PyDLL(os.path.abspath(library))
        self.asleep = ctypes.CDLL(os.path.abspath(library))
        self.request = Request()
        self.lib.wk_harness_ask(ctypes.byref(self.request))

    def run(self, data, result="", content=128, flags=0, memory=0, mode=GHOST, blob=True, oracle=None, asleep=False):
        """oracle: called in a second child that was forked at the same moment; must not return.
        asleep: this thread gives up the GIL before it forks, as if it slept."""
        if data != "/dev/null":
            open(data, "wb").close()
        q = self.request
        q.data_path = os.fsencode(data)
        q.result_path = os.fsencode(result)
        q.content_limit, q.flags, q.memory_limit = content, flags, memory
        q.mode, q.use_blob, q.oracle = mode, blob, oracle is not None
        run = (self.asleep if asleep else self.lib).wk_harness_run
        if run():
            try:
                oracle()
                os._exit(0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(1)
        out = Result()
        self.lib.wk_harness_result(ctypes.byref(out))
        facts = out.as_dict()
        facts["exit"] = q.status
        facts["touched"] = q.faults * 4096
        return facts
