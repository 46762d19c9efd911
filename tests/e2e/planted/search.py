# SPDX-License-Identifier: MIT
"""What is planted, in a dump."""
import re


def spelled(dump, o):
    """(referent, name) of each reference, as heapanalyze spells it."""
    rows, out, key = dump.named(o), [], None
    for referent, name, kind, _ in rows:
        if kind == 2:
            if name == 'key':
                key = plain(dump, referent)
                name = '<key %s>' % key
            else:
                name = '[%s]' % key
        elif kind == 3:
            name = '{member}'
        out.append((referent, name))
    return out


def plain(dump, address):
    o = dump.objects.get(address)
    if o is None:
        return '?'
    content = (o.content or b'').decode('utf-8', 'surrogatepass')
    return repr(content) if o.type.family == 1 else content if o.type.family in (3, 4, 5, 6) else '<%s>' % o.type.name


def fits(name, wanted):
    """A star stands for any text, for no name too where it stands alone."""
    if wanted == '*' or name == wanted:
        return True
    return name is not None and re.fullmatch(re.escape(wanted).replace('\\*', '.*'), name) is not None


def reached(dump, holder, path):
    at = {holder}
    for step in path:
        if step == '':
            continue
        at = {r for a in at if a in dump.objects for r, name in spelled(dump, dump.objects[a]) if fits(name, step)}
    return at


def spelled_content(dump, address):
    return (dump.objects[address].content or b'')[:40]


def count_references(dump, wanted):
    """To some objects, from objects and roots."""
    seen = dict.fromkeys(wanted, 0)
    for o in dump.objects.values() if wanted else ():
        if not wanted.isdisjoint(o.refs):
            for referent, _, _, flags in dump.named(o):
                if referent in wanted and not flags & 1:
                    seen[referent] += 1
    for _, address, _, counted in dump.roots:
        if address in wanted:
            seen[address] += bool(counted)
    return seen


def missing(dump, plants):
    lines = []
    held, exact = {}, count_references(dump, {a for row in plants if row[1] == 'exact' for a in row[2]})
    wanted = {row[2] for row in plants if row[1].startswith('held')}
    for o in dump.objects.values():
        if not wanted.isdisjoint(o.refs):
            for referent, name in spelled(dump, o):
                if referent in wanted:
                    held.setdefault(referent, []).append(name)
    frames = [row for t in dump.threads for f in t['frames'] for row in f['refs']]
    for row in plants:
        what, kind = row[:2]
        if kind == 'type':
            o = dump.objects.get(row[2])
            have = o and [o.type.name, o.size]
            if have != row[3:5]:
                lines.append('%s: %s, the dump has %s' % (what, row[3:5], have))
        elif kind in ('edge', 'path'):
            paths = [[name] for name in row[3]] if kind == 'edge' else [[s for s in path] for path in row[3]]
            if not any(row[4] in reached(dump, row[2], path) for path in paths):
                o = dump.objects.get(row[2])
                direct = [name for r, name in spelled(dump, o) if r == row[4]] if o else 'no holder'
                lines.append('%s: no %s of %s; it has %s there, else %s' % (
                    what, ' or '.join(';'.join(path) for path in paths), o and o.type.name, direct,
                    o and sorted({str(name) for _, name in spelled(dump, o)})[:12]))
        elif kind == 'root':
            have = [r[2] for r in dump.roots if r[1] == row[3]]
            if row[2] not in have:
                lines.append('%s: no root %s, it has %s' % (what, row[2], have))
        elif kind == 'roots':
            have = {r[1] for r in dump.roots if r[2] == row[2] and r[1] in dump.objects}.intersection(row[3])
            if len(have) < row[4]:
                lines.append('%s: %d roots %s, not %d' % (what, len(have), row[2], row[4]))
        elif kind == 'local':
            have = [name for name, address in frames if address == row[3]]
            if not any(fits(name, row[2]) for name in have):
                lines.append('%s: no %s in a frame, it has %s' % (what, row[2], have))
        elif kind == 'cell':
            cells = [address for name, address in frames if name == row[2]]
            if not any(row[3] in dump.objects[c].refs for c in cells):
                lines.append('%s: no %s in a frame' % (what, row[2]))
        elif kind == 'thread':
            if not any((t['name'], t['ident']) == (row[2], row[3]) and t['native'] == row[4] for t in dump.threads):
                lines.append('%s: %s, the dump has %s' % (what, row[2:], [(t['name'], t['ident'], t['native']) for t in dump.threads]))
        elif kind in ('held', 'held or root'):
            have = held.get(row[2], []) + [r[2] for r in dump.roots if r[1] == row[2] and kind != 'held']
            if not any(fits(name, w) for name in have for w in row[3]):
                lines.append('%s: not held by %s but %s' % (what, row[3], have))
        elif kind == 'real':
            o = dump.objects.get(row[2])
            if o is None or o.real != row[3]:
                lines.append('%s: %s, the dump has %s (size %s)' % (what, row[3], o and o.real, o and o.size))
        elif kind == 'exact':
            have = [(dump.objects[a].refcount, exact[a], spelled_content(dump, a)) for a in row[2] if a in dump.objects]
            wrong = [one for one in have if one[0] != one[1]]
            if len(have) != len(row[2]) or wrong:
                lines.append('%s: %d of %d, references counted and seen: %s' % (what, len(have), len(row[2]), wrong[:8]))
        elif kind == 'named':
            have = {name for _, name in spelled(dump, dump.objects[row[2]])}
            if row[3] not in have:
                lines.append('%s: no %s but %s' % (what, row[3], have))
        elif kind == 'weak':
            flags = [row_[3] for row_ in dump.named(dump.objects[row[2]]) if row_[0] == row[3]]
            if not flags or not all(f & 1 for f in flags):
                lines.append('%s: flags %s' % (what, flags))
        elif kind == 'interned':
            if not dump.objects[row[2]].flags & 1 << 12:
                lines.append('%s: not marked' % what)
    return lines
