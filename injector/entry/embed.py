# SPDX-License-Identifier: MIT
"""Writes files as C arrays: embed.py OUTPUT [--text] NAME FILE [NAME FILE…]. A text gets a NUL and loses its leading comments."""
import sys


def main(output, arguments):
    text = arguments[:1] == ['--text']
    if text:
        arguments = arguments[1:]
    lines = ['/* Generated. */']
    for name, path in zip(arguments[::2], arguments[1::2]):
        with open(path, 'rb') as file:
            data = file.read()
        if text:
            kept = data.decode('utf-8').splitlines()
            while kept and (kept[0].startswith('#') or not kept[0].strip()):
                kept.pop(0)
            data = '\n'.join(kept + ['']).encode('ascii') + b'\0'
        kind = 'char' if text else 'unsigned char'
        lines.append('static const %s %s[%d] = {' % (kind, name, len(data)))
        lines += ['    ' + ','.join('%d' % byte for byte in data[at:at + 24]) + ',' for at in range(0, len(data), 24)]
        lines.append('};')
    with open(output, 'w', encoding='ascii') as file:
        file.write('\n'.join(lines) + '\n')


main(sys.argv[1], sys.argv[2:])
