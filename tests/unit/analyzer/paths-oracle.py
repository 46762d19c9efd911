#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds paths on random heaps against networkx: that each is one, that the first is the shortest, that every holder has its shortest, that none
leads through what is excluded, and that each leads via what was asked for. paths-oracle.py WRITE-DUMP HEAPANALYZE [ROUNDS]"""

import random_heaps
from random_heaps import networkx

ROOT = 0
# what a step and a root count, see analyses/ha-reach.h
STEPS = {'.x': 2, '<odd': 6, '.__dict__': 0, '.__class__': 6}
ROOTS = {'interpreter': 2, 'frame local': 2, 'C reference': 12}


def counts(name):
    return next(step for start, step in STEPS.items() if name.startswith(start))


class Heap:
    def __init__(self, rnd):
        n = rnd.randint(2, 25)
        self.ids = range(1, n + 1)
        self.edges = {i: [] for i in self.ids}
        # names of their own, for paths that read alike are told as one
        for number in range(rnd.randint(n, 3 * n)):
            name = rnd.choice([f'.x{number}'] * 6 + [f'<odd{number}>'] * 3 + ['.__dict__', '.__class__', f'~.x{number}'])
            self.edges[rnd.choice(self.ids)].append((rnd.choice(self.ids), name))
        self.roots = {i: rnd.choice(list(ROOTS)) for i in self.ids if rnd.random() < 0.15} or {1: 'interpreter'}
        self.counts = {i: 0 for i in self.ids}
        for to in self.edges.values():
            for k, name in to:
                self.counts[k] += name[0] != '~'
        # what nothing is seen to hold, something unseen holds
        self.roots.update({i: 'C reference' for i in self.ids if self.counts[i] == 0 and i not in self.roots})
        for i in self.roots:
            self.counts[i] += 1
        self.graph = networkx.DiGraph()
        self.graph.add_node(ROOT)
        for i, kind in self.roots.items():
            self.graph.add_edge(ROOT, i, weight=ROOTS[kind])
        for i, to in self.edges.items():
            for k, name in to:
                if name[0] != '~':
                    old = self.graph.get_edge_data(i, k, {'weight': 100})['weight']
                    self.graph.add_edge(i, k, weight=min(old, counts(name)))

    def text(self):
        for i in self.ids:
            refs = ''.join(f' "{name}" 0x{k * 16:x}' for k, name in self.edges[i])
            yield f'object 0x{i * 16:x} app.T{i} size=16 count={self.counts[i]} gc' + (' :' + refs if refs else '')
        for i, kind in self.roots.items():
            if kind == 'interpreter':
                yield f'root interpreter 0x{i * 16:x} r{i} counted'
        yield 'thread main main'
        local = [i for i, kind in self.roots.items() if kind == 'frame local']
        yield 'frame f f.py 1 owned' + (' :' + ''.join(f' "<local v{i}>" 0x{i * 16:x}' for i in local) if local else '')

    def without(self, target, excluded=None):
        graph = self.graph.copy()
        graph.remove_edges_from(list(self.graph.out_edges(target)))
        if excluded is not None:
            graph.remove_node(excluded)
        return networkx.single_source_dijkstra_path_length(graph, ROOT)


def ask(path, *arguments):
    return random_heaps.ask(path, 'paths', *arguments, '--all', '0')['paths']


def cost(heap, path):
    """What the path counts; it must be one: each step a reference of that name, no object twice."""
    way = [int(o['addr'], 16) // 16 for o in path['objects']]
    assert len(set(way)) == len(way), ('twice', way)
    assert heap.roots[way[0]] == path['root']['kind'], (way, path['root'])
    for a, b, step in zip(way, way[1:], path['objects'][1:]):
        assert (b, step['name']) in heap.edges[a], (a, b, step['name'])
    return way, ROOTS[path['root']['kind']] + sum(counts(o['name']) for o in path['objects'][1:])


def check(heap, path, rnd):
    everywhere = networkx.descendants(heap.graph, ROOT)
    for target in sorted(everywhere):
        lengths = heap.without(target)
        told = ask(path, hex(target * 16))
        found = [cost(heap, p) for p in told]
        assert all(way[-1] == target for way, _ in found), found
        assert found[0][1] == lengths[target], ('shortest', target, found[0], lengths[target])
        best = {}
        for way, length in found:
            holder = way[-2] if len(way) > 1 else ROOT
            best[holder] = min(length, best.get(holder, length))
        theirs = {h: lengths[h] + heap.graph[h][target]['weight'] for h in heap.graph.predecessors(target) if h in lengths and h != target}
        if all(p['references'] == 1 for p in told):
            assert best == theirs, ('holders', target, best, theirs)
        else:
            assert all(best[h] >= theirs[h] for h in best), ('holders', target, best, theirs)

        other = rnd.choice(sorted(everywhere))
        if other == target:
            continue
        lengths = heap.without(target, other)
        found = [cost(heap, p) for p in ask(path, hex(target * 16), '--exclude', hex(other * 16))]
        assert all(other not in way for way, _ in found), ('excluded', other, found)
        assert bool(found) == (target in lengths), ('excluded', other, target, found)
        assert not found or found[0][1] == lengths[target], ('excluded', found, lengths)
        found = [cost(heap, p) for p in ask(path, hex(target * 16), '--via', hex(other * 16))]
        assert all(other in way for way, _ in found), ('via', other, found)


random_heaps.run('paths in random heaps', Heap, check, 25)
