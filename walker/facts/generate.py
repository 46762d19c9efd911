#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the walker's tables of facts about CPython from the headers of installed interpreters.

    generate.py PYTHON...          write wk-facts-fields.h and, for each interpreter, facts-3.XB.inc; B is d for debug builds, t for free-threaded;
                                   opcodes-3.X.inc for those that keep the depth of a stack to themselves
    generate.py --check PYTHON...  compare, change nothing; exit 1 and say what differs

PYTHON is the interpreter to read. For each, a small program with offsetof and sizeof is compiled against its headers, internal ones
included, and run; what no header tells is found in live objects by probe.py. An interpreter without internal headers is an error
unless --check, where it is told apart as "no headers" and passed over; --require makes that an error too.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = range(8, 16)
BUILDS = ("", "t")

HEADERS = ["Python.h", "frameobject.h", "structmember.h", "datetime.h", "opcode.h"]
# Only those that exist in a version are included.
INTERNAL = ["interp", "runtime", "pystate", "pymem", "gc", "frame", "code", "dict", "long", "object", "genobject", "tstate",
            "typeobject", "unicodeobject", "ceval_state", "gil", "instruments", "global_objects", "moduleobject",
            "opcode_metadata", "debug_offsets", "mimalloc"]


def parse(path):
    """[(name, [(versions, fact)])] of a fields file."""
    fields = []
    for number, line in enumerate(open(path), 1):
        words = line.split("#", 1)[0].split() if line.lstrip().startswith("#") else line.split()
        if not words:
            continue
        facts, versions, i = [], [(minor, build) for minor in VERSIONS for build in BUILDS], 1
        while i < len(words):
            match = re.fullmatch(r"(\d+)(t?)(-(\d*))?", words[i])
            if match:
                first = int(match[1])
                last = first if not match[3] else int(match[4] or VERSIONS[-1])
                versions = [(minor, build) for minor in range(first, last + 1) for build in ("t" if match[2] else BUILDS)]
                i += 1
            fact = words[i]
            while fact.split(":")[-1] == "struct":
                i += 1
                fact += " " + words[i]
            facts.append((versions, fact))
            i += 1
        if not facts:
            sys.exit(f"{path}:{number}: no fact")
        fields.append((words[0], facts))
    return fields


def facts_of(fields, minor, build):
    found = []
    for name, facts in fields:
        chosen = [fact for versions, fact in facts if (minor, "t" * ("t" in build)) in versions]
        found.append((name, chosen[-1] if chosen else None))
    return found


def ask(python):
    code = ("import sys,sysconfig,json;print(json.dumps([list(sys.version_info[:3]),"
            "('d' if hasattr(sys,'gettotalrefcount') else '')+('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''),"
            "sysconfig.get_path('include'),sysconfig.get_path('platinclude')]))")
    return json.loads(subprocess.check_output([python, "-Ic", code]))


def split_member(text):
    kind, _, rest = text.partition(".")
    return kind, rest


def c_program(facts, include):
    lines = ["#include <stddef.h>", "#include <stdint.h>", "#include <stdio.h>", "#include <string.h>",
             "#define Py_BUILD_CORE 1", "#define _Py_USING_PGEN 1"]
    lines += [f"#include <{h}>" for h in HEADERS]
    lines += [f"#include <internal/pycore_{h}.h>" for h in INTERNAL
              if os.path.exists(os.path.join(include, "internal", f"pycore_{h}.h"))]
    lines += ["#ifdef HAVE_STD_ATOMIC", "#endif", "int main(void) {"]
    for name, fact in facts:
        if fact is None or fact[0] in "#?":
            continue
        if fact[0] == "=":
            value = fact[1:]
        elif fact[0] == "+":
            value = f"sizeof(PyObject) + {fact[1:]}"
        elif fact.startswith("sizeof:"):
            value = f"sizeof({fact[7:]})"
        elif fact.startswith(("bit:", "bits:")):
            what, _, member = fact.partition(":")
            kind, path = split_member(member)
            word = path.rsplit(".", 1)[0]
            lines.append(f"{{ static {kind} o; memset(&o, 0, sizeof o); uint32_t w; o.{path} = ~0u; "
                         f"memcpy(&w, (char *)&o + offsetof({kind}, {word}), 4);"
                         f'printf("{name} %u\\n", {"(uint32_t)__builtin_ctz(w)" if what == "bit" else "w >> __builtin_ctz(w)"}); }}')
            continue
        else:
            kind, path = split_member(fact)
            value = f"offsetof({kind}, {path})"
        lines.append(f'printf("{name} %u\\n", (uint32_t)({value}));')
    lines += ["return 0; }", ""]
    return "\n".join(lines)


def run_c(text, include, platinclude, cc):
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "facts.c"), os.path.join(folder, "facts")
        with open(source, "w") as out:
            out.write(text)
        command = cc + ["-w", "-fmax-errors=9", "-std=gnu11", "-I", include, "-I", platinclude, "-I", os.path.join(include, "internal"),
                   "-idirafter", os.path.dirname(include), source, "-o", program, "-Wl,--unresolved-symbols=ignore-all"]
        subprocess.run(command, check=True)
        return subprocess.check_output([program], text=True)


def compile_and_run(facts, include, platinclude, cc):
    output = run_c(c_program(facts, include), include, platinclude, cc)
    return {name: int(value) for name, value in (line.split() for line in output.splitlines())}


OPCODES = range(8, 14)  # later ones note how deep the stack is when they call anything


def opcodes_text(python, version, include, cc):
    """What roots/stack.c must know of instructions: general forms and caches stand in headers that are for the interpreter alone."""
    known = {}
    if version[1] >= 11:
        header = "pycore_opcode.h" if version[1] < 13 else "pycore_opcode_metadata.h"
        program = "\n".join(["#include <stdio.h>", "#include <string.h>", "#define Py_BUILD_CORE 1", "#define NEED_OPCODE_TABLES 1", "#define NEED_OPCODE_METADATA 1",
                             "#include <Python.h>", f"#include <internal/{header}>", "int main(void) {", 'printf("{\\"general\\": [");',
                             'for (int i = 0; i < 256; i++) printf("%s%d", i ? ", " : "", _PyOpcode_Deopt[i]);', 'printf("], \\"caches\\": [");',
                             'for (int i = 0; i < 256; i++) printf("%s%d", i ? ", " : "", _PyOpcode_Caches[i]);', 'printf("]}"); }', ""])
        known = json.loads(run_c(program, include, include, cc))
    rows = json.loads(subprocess.check_output([python, "-I", os.path.join(HERE, "opcodes.py"), json.dumps(known)]))
    lines = ["// SPDX-License-Identifier: MIT", f"// Made by generate.py from CPython 3.{version[1]}; do not edit."]
    return "\n".join(lines + ["[%d] = {%d, %d, %d}," % tuple(row) for row in rows]) + "\n"


def read_facts(python, fields, cc, debug):
    version, build, include, platinclude = ask(python)
    if debug and "d" not in build:
        build = "d" + build
        cc = cc + ["-DPy_DEBUG"]
    if not os.path.isdir(os.path.join(include, "internal")):
        return version, build, None
    facts = facts_of(fields, version[1], build)
    values = compile_and_run(facts, include, platinclude, cc)
    probed = json.loads(subprocess.check_output([python, "-I", os.path.join(HERE, "probe.py")]))
    for name, fact in facts:
        if fact and fact[0] == "#":
            values[name] = int(fact[1:])
        elif fact and fact[0] == "?":
            values[name] = probed[fact[1:]]
    return version, build, [(name, values.get(name)) for name, _ in facts]


def table_text(version, build, values):
    lines = ["// SPDX-License-Identifier: MIT", f"// Made by generate.py from the headers and live objects of CPython {'.'.join(map(str, version))}{build}; do not edit."]
    lines += [f".{name} = {'WK_NO_FACT' if value is None else value}," for name, value in values]
    return "\n".join(lines) + "\n"


def fields_text(fields):
    lines = ["// SPDX-License-Identifier: MIT", "// Made by generate.py from fields.txt, where each is explained; do not edit.", "#pragma once",
             "// clang-format off", "#define WK_FACTS(X) \\"]
    lines += [f"    X({name}) \\" for name, _ in fields]
    lines.append("")
    return "\n".join(lines) + "\n"


# What micro versions differ in; the walker finds these out by itself or only needs to know that they differ.
MICRO = {"runtime_tuple_empty", "runtime_bytes_empty", "runtime_interned", "gc_generations", "interp_size"}


def compare(path, text):
    """Lines that differ, apart from the comment that names the micro version."""
    try:
        have = open(path).read()
    except OSError as error:
        return [str(error)]
    clean = lambda t: [line for line in t.splitlines() if not line.startswith("// Made") and line.split(" ")[0].strip(".") not in MICRO]
    old, new = clean(have), clean(text)
    return [f"{os.path.basename(path)}: has {a!r}, headers say {b!r}" for a, b in zip(old, new) if a != b] + \
        ([f"{os.path.basename(path)}: {len(old)} lines, expected {len(new)}"] if len(old) != len(new) else [])


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true")
    options.add_argument("--require", action="store_true")
    options.add_argument("--cc", default=os.environ.get("CC", "cc").split()[0])
    options.add_argument("--debug", action="store_true", help="as if it was built --with-pydebug")
    options.add_argument("python", nargs="+")
    args = options.parse_args()
    fields = parse(os.path.join(HERE, "fields.txt"))
    outputs = [(os.path.join(HERE, "wk-facts-fields.h"), fields_text(fields))]
    failed = False
    for python in args.python:
        version, build, values = read_facts(python, fields, args.cc.split(), args.debug)
        if version[0] != 3 or version[1] not in VERSIONS:
            sys.exit(f"{python}: Python {'.'.join(map(str, version))} has no facts in fields.txt")
        if values is None:
            print(f"{python}: no internal headers", file=sys.stderr)
            failed |= args.require or not args.check
            continue
        if version[1] in OPCODES and not build:
            include = ask(python)[2]
            outputs.append((os.path.join(HERE, f"opcodes-3.{version[1]}.inc"), opcodes_text(python, version, include, args.cc.split())))
        if version[1] < 12:
            build = build.replace("d", "")  # the same layout
        outputs.append((os.path.join(HERE, f"facts-3.{version[1]}{build}.inc"), table_text(version, build, values)))
    for path, text in outputs:
        if args.check:
            for line in compare(path, text):
                print(line)
                failed = True
        else:
            with open(path, "w") as out:
                out.write(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
