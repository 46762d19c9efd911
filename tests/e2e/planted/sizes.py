# SPDX-License-Identifier: MIT
"""What the allocator gave for objects: its own word, not a sum of ours."""
import ctypes
import sys
import sysconfig

from .plants import VERSION, fresh
from .objects import Plain, Slotted


FREE_THREADED = bool(sysconfig.get_config_var('Py_GIL_DISABLED'))
POOL = 16384 if VERSION >= (3, 10) else 4096


def small_block(address):
    """Of pymalloc: the header of the pool that it lies in knows its size (Objects/obmalloc.c, struct pool_header.szidx)."""
    if FREE_THREADED:
        return page_block(address)
    return (ctypes.c_uint32.from_address((address & -POOL) + 36).value + 1) * 16


def page_block(address):
    """Of mimalloc: the header of the page that it lies in (3.13, mimalloc/types.h: mi_segment_t.slices, mi_page_t.slice_offset, xblock_size)."""
    segment = address & -(32 << 20)
    piece = segment + 264 + (address - segment) // 65536 * 96
    return ctypes.c_uint32.from_address(piece - ctypes.c_uint32.from_address(piece + 4).value + 28).value


def large_block(address):
    return page_block(address) if FREE_THREADED else malloc_block(address)


def malloc_block(address):
    """With the chunk's header."""
    usable = ctypes.CDLL(None).malloc_usable_size
    usable.argtypes, usable.restype = [ctypes.c_void_p], ctypes.c_size_t
    return usable(address) + 8 + 15 & -16  # a chunk that is mapped by itself has a word more


def pointer(o, offset):
    return ctypes.c_void_p.from_address(id(o) + offset + 16 * FREE_THREADED).value  # the head of an object is larger there


def real_sizes(p):
    debug = 32 if hasattr(sys, 'gettotalrefcount') else 0  # hooks of a debug build keep that much in front
    text, number, pair, wide = fresh('some text or other'), 10 ** 50, (p, p, fresh('x')), fresh('€' * 30)
    for what, o in (('str', text), ('int', number), ('tuple', pair), ('str of wide characters', wide), ('object', object()), ('float', p.list and 0.1 * len(p.list)),
                    ('bytes', bytes(bytearray(100))), ('slots', Slotted()), ('empty list', []), ('bound method', p.edge)):
        p.list.append(['real size of ' + what, 'real', id(o), small_block(id(o))])
        p.keep.append(o)
    items, keyed, members = [0, 1, 2, 3, 4, 5, 6], {i: i for i in range(9)}, set(range(8))
    for what, o, at in (('list', items, 24), ('dict', keyed, 32), ('set', members, 40)):
        if debug == 0 or what != 'set':  # whose table has 512 bytes, with the hooks too many for pymalloc
            p.list.append(['real size of ' + what, 'real', id(o), small_block(id(o)) + small_block(pointer(o, at))])
    many, table, raw = list(range(1000)), {i: i for i in range(1000)}, bytearray(3000)
    for what, o, at, before in (('long list', many, 24, 0), ('large dict', table, 32, 0), ('bytearray', raw, 32, 32 * (VERSION >= (3, 15)))):
        p.list.append(['real size of ' + what, 'real', id(o), small_block(id(o)) + large_block(pointer(o, at) - debug - before)])
    long_text, long_bytes, huge_bytes = fresh('x' * 5000), bytes(bytearray(70000)), bytes(bytearray(3000000))
    for what, o in (('long str', long_text), ('long bytes', long_bytes), ('huge bytes', huge_bytes)):
        p.list.append(['real size of ' + what, 'real', id(o), large_block(id(o) - debug)])
    instance = Plain()
    instance.attr = 5
    size = small_block(id(instance))
    if VERSION == (3, 11):
        size += small_block(pointer(instance, -32) - 8)
    elif VERSION == (3, 12):
        size += small_block(pointer(instance, -24) - 8)
    p.list.append(['real size of an instance', 'real', id(instance), size])
    p.keep.append((items, keyed, members, many, table, raw, long_text, long_bytes, huge_bytes, instance))
