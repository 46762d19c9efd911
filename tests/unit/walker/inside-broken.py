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


HEAD = object.__basicsize__
TYPE, SIZE, ITEMS = HEAD - 8, HEAD, HEAD + 8
# An address that nothing can be read at, and that no other mapping takes by chance.
guard = mmap.mmap(-1, 4096)
WILD = ctypes.addressof(ctypes.c_char.from_buffer(guard))
if ctypes.CDLL(None).mprotect(ctypes.c_void_p(WILD), ctypes.c_size_t(4096), 0) != 0:
    sys.exit('mprotect failed')
TP_NAME, TP_BASICSIZE, TP_ITEMSIZE, TP_TRAVERSE, TP_DICTOFFSET, TP_IS_GC, TP_MRO = (HEAD + at for at in (8, 16, 24, 168, 272, 312, 328))


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
    poke(id(victim) + TYPE, 0x1234567890)
    return [victim]


def type_is_a_list():
    victim = Victim()
    poke(id(victim) + TYPE, id([]))
    return [victim]


def slot_is_unmapped():
    victim = Victim()
    victim.a = victim.b = []
    poke(id(victim) + HEAD, WILD)
    return [victim]


def slot_is_small():
    victim = Victim()
    victim.a = victim.b = []
    poke(id(victim) + HEAD, 0x1235)
    return [victim]


def list_without_items():
    victim = [1, 2, 3]
    poke(id(victim) + ITEMS, WILD)
    return victim


def list_too_long():
    victim = [1, 2, 3]
    poke(id(victim) + SIZE, 1 << 40)
    return victim


def tuple_too_long():
    victim = tuple([object(), object()])
    poke(id(victim) + SIZE, 1 << 45)
    return victim


def dict_without_keys():
    victim = {str(i): i for i in range(5)}
    poke(id(victim) + HEAD + 16, WILD)
    return victim


def dict_with_wild_keys():
    victim = {str(i): i for i in range(5)}
    keys = peek(id(victim) + HEAD + 16)
    if sys.version_info >= (3, 11):
        ctypes.c_uint8.from_address(keys + 8).value = 50  # log2 of the size
        poke(keys + 24, 1 << 49)  # entries
    else:
        poke(keys + 8, 1 << 50)
        poke(keys + 32, 1 << 49)
    return victim


def set_too_large():
    victim = set(range(100))
    poke(id(victim) + HEAD + 16, (1 << 44) - 1)
    return victim


def str_too_long():
    victim = ''.join(['some', ' ', 'text'])
    poke(id(victim) + SIZE, 1 << 44)
    return victim


def unreadable_page():
    """An object in memory that was unmapped under it, as an extension's freed block."""
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    holder = [None]
    poke(peek(id(holder) + ITEMS), address)
    libc = ctypes.CDLL(None)
    libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(4096))
    return holder


def traverse_crashes():
    kind = type('Crashing', (dict,), {'__slots__': ('x',)})
    victim = kind()
    poke(id(kind) + TP_TRAVERSE, WILD)
    return victim


CODE = {
    'hangs': b'\xeb\xfe',  # jmp .
    'overflows': b'\xe8\xfb\xff\xff\xff',  # call itself
    # visit(object, arg) for ever
    'never_ends': b'\x53\x55\x41\x54\x48\x89\xfb\x48\x89\xf5\x49\x89\xd4\x48\x89\xdf\x4c\x89\xe6\xff\xd5\xeb\xf6',
}
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def with_traverse(address, count=1):
    """Instances of a type whose tp_traverse, or that of the C type below it, is at an address."""
    kind = type('Broken', (dict,), {'__slots__': ('x',)})
    victims = [kind(x=[]) for _ in range(count)]
    poke(id(kind) + TP_TRAVERSE, address)
    return victims


def machine_code(name):
    code[:len(CODE[name])] = CODE[name]
    return ctypes.addressof(ctypes.c_char.from_buffer(code))


def many_hang():
    return with_traverse(machine_code('hangs'), 10000)


def many_hang_early():
    """Before that, when they are asked whether they are objects of the collector."""
    kind = type('Broken', (dict,), {'__slots__': ('x',)})
    victims = [kind(x=[]) for _ in range(10000)]
    poke(id(kind) + TP_IS_GC, machine_code('hangs'))
    return victims


def many_crash():
    return with_traverse(WILD, 40000)


def traverse_overflows():
    return with_traverse(machine_code('overflows'))[0]


def traverse_never_ends():
    return with_traverse(machine_code('never_ends'))[0]


def lying_type(offset, value):
    kind = type('Lying', (), {'__slots__': ('a',)})
    victim = kind()
    victim.a = []
    poke(id(kind) + offset, value)
    return victim


def name_is_missing():
    return lying_type(TP_NAME, 0)


def name_is_wild():
    return lying_type(TP_NAME, WILD)


def basicsize_lies():
    return lying_type(TP_BASICSIZE, 1 << 60)


def basicsize_is_negative():
    return lying_type(TP_BASICSIZE, 1 << 63)


def itemsize_lies():
    return lying_type(TP_ITEMSIZE, 1 << 40)


def dictoffset_lies():
    return lying_type(TP_DICTOFFSET, (1 << 64) - 8)


def base_lies():
    return lying_type(HEAD + 240, WILD)


def gc_links_loop():
    """A list of the collector that does not come back to its head."""
    victims = [[] for _ in range(10)]
    poke(id(victims[3]) - 16, id(victims[5]) - 16)
    poke(id(victims[5]) - 16, id(victims[3]) - 16)
    return victims


def mro_lies():
    kind = type('Liar', (), {})
    victim = kind()
    poke(id(kind) + TP_MRO, id(kind.__mro__) + (1 << 40))
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
    harness.run(os.path.join(folder, 'before'), os.path.join(folder, 'result.json'))
    keep = [globals()[what]()]
    result = harness.run(os.path.join(folder, 'heap'), os.path.join(folder, 'result.json'), memory=memory)
    result['victim'] = id(keep[0][0] if what.startswith(('type_', 'slot_', 'many_')) else keep[0])
    result['marker'] = id(main)
    json.dump(result, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


main()
