#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What may not be in the blob does not link: test-blob.py LINKER-SCRIPT BLOB-ELF BLOB-ELF COMPILER… -- FLAG…"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'e2e'))

from support.tap import Suite, check, equal

script, *blobs = sys.argv[1:4]
compiler, flags = sys.argv[4:sys.argv.index('--')], sys.argv[sys.argv.index('--') + 1:]
sys.argv[1:] = []
suite = Suite()

ENTRY = '__attribute__((section(".text.walker_entry"), used)) void walker_entry(void *args);\n'
CASES = {
    'nothing forbidden': ('void walker_entry(void *args) { *(int *)args = 1; }', None),
    'a counter': ('static int n; void walker_entry(void *args) { *(int *)args = ++n; }', 'walker: writable data'),
    'initialised data': ('int n = 5; void walker_entry(void *args) { *(int *)args = ++n; }', 'walker: writable data'),
    'a common symbol': ('int n; void walker_entry(void *args) { *(int *)args = ++n; }', 'walker: writable data'),
    'a table of addresses': ('int a(void); int a(void) { return 1; } int (*volatile table[])(void) = {a};'
                             'void walker_entry(void *args) { *(int *)args = table[0](); }', 'walker: (writable data|relocation)'),
    'a constant table of addresses': ('extern void walker_entry(void *); __attribute__((used, section(".rodata.t"))) static void (*const volatile table[])(void *) ='
                                      '{walker_entry}; void walker_entry(void *args) { *(void **)args = (void *)table[0]; }',
                                      'walker: relocation|DT_TEXTREL|read-only section|changed section attributes'),
    'a call of the C library': ('int puts(const char *); void walker_entry(void *args) { puts(args); }', 'undefined'),
    'a variable of a thread': ('static _Thread_local int n; void walker_entry(void *args) { *(int *)args = ++n; }', 'walker: |__tls_get_addr|TLS'),
    'no entry': ('__attribute__((used)) static int f(int a) { return a; }', 'walker_entry'),
    'an entry that is not first': ('__attribute__((section(".text.walker_entry"), used)) static int before(void) { return 1; }'
                                   'void walker_entry(void *args) { *(int *)args = before(); }', 'walker: entry not first'),
}


def link(source, message):
    with tempfile.TemporaryDirectory() as folder:
        with open(f'{folder}/x.c', 'w') as file:
            file.write(('' if 'static int f' in source or 'before' in source else ENTRY) + source + '\n')
        run = subprocess.run([*compiler, '-O2', *flags, '-w', '-o', f'{folder}/x', f'{folder}/x.c', f'-Wl,-T,{script}'], capture_output=True, text=True)
        text = run.stdout + run.stderr
        if message is None:
            equal((run.returncode, text), (0, ''), 'compiler and linker')
            return
        check(run.returncode != 0, 'it links')
        check(re.search(message, text), f'expected {message!r} in:\n{text}')


def product(blob):
    """The blob that is embedded: two sections with contents, entry first, nothing to do for a loader."""
    sections = subprocess.run(['readelf', '-SW', blob], capture_output=True, text=True, check=True).stdout
    sizes = {name: int(size, 16) for name, size in re.findall(r'\] (\.\S+)\s+\S+\s+\S+ \S+ (\S+)', sections)}
    check(sizes['.text'] > 10000 and sizes['.rodata'] > 0, sizes)
    for name in ('.data', '.got', '.plt', '.rela.dyn', '.bss', '.dynamic', '.interp'):
        equal(sizes.get(name, 0), 0, name)
    relocations = subprocess.run(['readelf', '-rW', blob], capture_output=True, text=True, check=True).stdout
    check('no relocations' in relocations, relocations)
    symbols = subprocess.run(['readelf', '-sW', blob], capture_output=True, text=True, check=True).stdout
    check(re.search(r' 0+ +\d+ FUNC .* walker_entry', symbols), 'walker_entry is not at 0')
    code = subprocess.run(['objdump', '-d', blob], capture_output=True, text=True, check=True).stdout
    vector = sorted(set(re.findall(r'%[xyz]mm\d+', code)))
    equal(vector, [], 'vector registers')


for name, (source_, message_) in CASES.items():
    suite.case(name, link, source_, message_)
for blob_ in blobs:
    suite.case(os.path.basename(blob_), product, blob_)
suite.run()
