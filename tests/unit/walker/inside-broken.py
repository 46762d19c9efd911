# SPDX-License-Identifier: MIT
"""Runs in the interpreter under test: inside-broken.py LIBRARY FOLDER WHAT. Breaks an object, walks, prints what came of it as JSON; leaves
without another look at its own heap."""
import ctypes
import gc
import json
import mmap
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '../../e2e')]

import inprocess  # noqa: E402


class Victim:
    __slots__ = ('a', 'b')


class Deep:
    pass


def poke(address, value):
    ctypes.c_uint64.from_address(address).value = value


def peek(address):
    return ctypes.c_uint64.from_address(address).value


def type_is_garbage():
    victim = Victim()
    poke(id(victim) + 8, 0x1234567890)
    return [victim]


def type_is_a_list():
    victim = Victim()
    poke(id(victim) + 8, id([]))
    return [victim]


def slot_is_unmapped():
    victim = Victim()
    victim.a = victim.b = []
    poke(id(victim) + 16, 0x7ff000000000)
    return [victim]


def slot_is_small():
    victim = Victim()
    victim.a = victim.b = []
    poke(id(victim) + 16, 0x1235)
    return [victim]


def list_without_items():
    victim = [1, 2, 3]
    poke(id(victim) + 24, 0x7ff000000000)
    return victim


def list_too_long():
    victim = [1, 2, 3]
    poke(id(victim) + 16, 1 << 40)
    return victim


def tuple_too_long():
    victim = tuple([object(), object()])
    poke(id(victim) + 16, 1 << 45)
    return victim


def dict_without_keys():
    victim = {str(i): i for i in range(5)}
    poke(id(victim) + 32, 0x7ff000000000)
    return victim


def dict_with_wild_keys():
    victim = {str(i): i for i in range(5)}
    keys = peek(id(victim) + 32)
    if sys.version_info >= (3, 11):
        ctypes.c_uint8.from_address(keys + 8).value = 50  # log2 of the size
        poke(keys + 24, 1 << 49)  # entries
    else:
        poke(keys + 8, 1 << 50)
        poke(keys + 32, 1 << 49)
    return victim


def set_too_large():
    victim = set(range(100))
    poke(id(victim) + 32, (1 << 44) - 1)
    return victim


def str_too_long():
    victim = ''.join(['some', ' ', 'text'])
    poke(id(victim) + 16, 1 << 44)
    return victim


def unreadable_page():
    """An object in memory that was unmapped under it, as an extension's freed block."""
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    holder = [None]
    poke(peek(id(holder) + 24), address)
    libc = ctypes.CDLL(None)
    libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(4096))
    return holder


def traverse_crashes():
    kind = type('Crashing', (dict,), {'__slots__': ('x',)})
    victim = kind()
    poke(id(kind) + 184, 0x7ff000000000)  # tp_traverse
    return victim


def gc_links_loop():
    """A list of the collector that does not come back to its head."""
    victims = [[] for _ in range(10)]
    poke(id(victims[3]) - 16, id(victims[5]) - 16)
    poke(id(victims[5]) - 16, id(victims[3]) - 16)
    return victims


def mro_lies():
    kind = type('Liar', (), {})
    victim = kind()
    poke(id(kind) + 344, id(kind.__mro__) + (1 << 40))
    return victim


def deep():
    """No recursion: two million levels."""
    head = None
    for _ in range(2000000):
        head = [head]
    return head


def nothing():
    return []


def fail(*what):
    sys.__excepthook__(*what)
    sys.stderr.flush()
    os._exit(1)


def main():
    sys.excepthook = fail
    library, folder, what = sys.argv[1:4]
    memory = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    harness = inprocess.Harness(library)
    gc.collect()
    gc.disable()
    keep = [globals()[what]()]
    result = harness.run(os.path.join(folder, 'heap'), os.path.join(folder, 'result.json'), memory=memory)
    result['victim'] = id(keep[0][0] if what.startswith(('type_', 'slot_')) else keep[0])
    result['marker'] = id(main)
    json.dump(result, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


main()
