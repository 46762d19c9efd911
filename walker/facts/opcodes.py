# SPDX-License-Identifier: MIT
"""Print, as JSON, what roots/stack.c must know of each instruction of this interpreter: [number, number of its general form, words of
cache, how it goes on and what it takes]. Run by generate.py in each interpreter; its argument is what headers tell, as JSON: general forms, caches."""
import dis
import json
import sys

# roots/stack.c, enum how
PLAIN, TERMINAL, JUMP, BRANCH = 1, 2, 3, 4
BACKWARD, ABSOLUTE = 8, 16
MANY, CALL, AWAITS = 4, 5, 6  # times 32; below: as many operands

TERMINAL_NAMES = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "INTERPRETER_EXIT"}
JUMPS = {"JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}
OPERANDS = {
    1: "LOAD_ATTR LOAD_METHOD UNARY_NEGATIVE UNARY_NOT UNARY_INVERT UNARY_POSITIVE GET_ITER GET_AITER GET_ANEXT GET_AWAITABLE FOR_ITER "
       "POP_TOP IMPORT_FROM UNPACK_SEQUENCE LIST_APPEND SET_ADD LIST_EXTEND SET_UPDATE DICT_UPDATE DICT_MERGE SETUP_WITH "
       "BEFORE_WITH BEFORE_ASYNC_WITH CALL_INTRINSIC_1 TO_BOOL STORE_NAME STORE_GLOBAL DELETE_ATTR STORE_FAST STORE_DEREF YIELD_VALUE",
    2: "COMPARE_OP IS_OP CONTAINS_OP IMPORT_NAME STORE_ATTR DELETE_SUBSCR MAP_ADD CALL_INTRINSIC_2",
    3: "STORE_SUBSCR BINARY_SLICE",
    0: "LOAD_NAME LOAD_GLOBAL LOAD_CONST LOAD_FAST LOAD_DEREF LOAD_CLOSURE LOAD_BUILD_CLASS DELETE_NAME DELETE_FAST DELETE_GLOBAL RESUME NOP "
       "JUMP_FORWARD JUMP_ABSOLUTE JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT SETUP_FINALLY POP_BLOCK EXTENDED_ARG",
}
BY_NAME = {name: n for n, names in OPERANDS.items() for name in names.split()}


def operands(name):
    if name in ("YIELD_FROM", "SEND"):
        return AWAITS
    if name in BY_NAME:
        return BY_NAME[name]
    if name.startswith(("BINARY_", "INPLACE_")):
        return 2
    if name.startswith(("POP_JUMP_", "JUMP_IF_")) and name != "JUMP_IF_NOT_EXC_MATCH":
        return 1
    if name == "PRECALL" or (name.startswith("CALL") and name not in ("CALL_FINALLY", "CALL_INTRINSIC_1", "CALL_INTRINSIC_2")):
        return CALL
    return MANY


def how(number, name):
    flags = operands(name) * 32
    jumps = number in dis.hasjrel or number in dis.hasjabs
    if "BACKWARD" in name:
        flags |= BACKWARD
    if number in dis.hasjabs:
        flags |= ABSOLUTE
    return flags | (TERMINAL if name in TERMINAL_NAMES else JUMP if name in JUMPS else BRANCH if jumps else PLAIN)


def main():
    known = json.loads(sys.argv[1])
    general, caches = known.get("general"), known.get("caches", [0] * 256)
    names = {name: number for number, name in enumerate(dis.opname[:256]) if not name.startswith("<")}
    rows = []
    for number in range(256):
        base = general[number] if general else number
        name = dis.opname[base]
        if name.startswith("INSTRUMENTED_"):
            base = names.get(name[len("INSTRUMENTED_"):], 0)  # a line or an instruction: what stood there is known to the monitor alone
            name = dis.opname[base]
        if base not in names.values() or (base == 0 and number != 0) or name in ("CACHE", "RESERVED", "ENTER_EXECUTOR"):
            continue
        rows.append([number, base, caches[base], how(base, name)])
    print(json.dumps(rows))


main()
