#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds what is retained against two other opinions on random heaps: networkx's immediate dominators, and brute force, which takes an object
away and looks what can still be reached. retained-oracle.py WRITE-DUMP HEAPANALYZE [ROUNDS]"""
import collections

import random_heaps
from random_heaps import ask, networkx

ROOT = 0
TYPES = ['app.A', 'app.B', 'lib.sub.C', 'builtins.list']


class Heap:
    """Objects are numbers from 1; ROOT holds the roots. edges[a] has (b, weak)."""

    def __init__(self, rnd):
        n = rnd.randint(1, 60)
        self.ids = range(1, n + 1)
        self.size = {i: rnd.randint(1, 10000) for i in self.ids}
        self.type = {i: rnd.choice(TYPES) for i in self.ids}
        self.edges = collections.defaultdict(list)
        for _ in range(rnd.randint(0, 3 * n)):
            self.edges[rnd.choice(self.ids)].append((rnd.choice(self.ids), rnd.random() < 0.15))
        self.roots = [i for i in self.ids if rnd.random() < 0.1]
        self.frames = [i for i in self.ids if rnd.random() < 0.05]
        self.surplus = {i: rnd.choice([1, 7]) for i in self.ids if rnd.random() < 0.05}
        self.counts = collections.Counter(k for to in self.edges.values() for k, weak in to if not weak)
        for held in self.roots, self.frames, self.surplus:
            self.counts.update(held)
        # what nothing is seen to hold, something unseen holds: garbage is only what holds itself
        self.surplus.update({i: 1 for i in self.ids if self.counts[i] == 0})
        self.graph = collections.defaultdict(set)
        self.graph[ROOT].update(self.roots, self.frames, self.surplus)
        for i, to in self.edges.items():
            self.graph[i].update(k for k, weak in to if not weak)

    def text(self):
        for i in self.ids:
            refs = ''.join(f' {"~" if weak else ""}.r{n} 0x{k * 16:x}' for n, (k, weak) in enumerate(self.edges[i]))
            yield f'object 0x{i * 16:x} {self.type[i]} size={self.size[i]} count={self.counts[i] or 1} gc' + (' :' + refs if refs else '')
        for i in self.roots:
            yield f'root interpreter 0x{i * 16:x} r counted'
        if self.frames:
            yield 'thread main main'
            yield 'frame f f.py 1 owned :' + ''.join(f' "<local v{i}>" 0x{i * 16:x}' for i in self.frames)

    def reached(self, without=None):
        seen, stack = {ROOT}, [ROOT]
        while stack:
            for k in self.graph[stack.pop()]:
                if k != without and k not in seen:
                    seen.add(k)
                    stack.append(k)
        return seen - {ROOT}


def tree_of(answer):
    """Retained sizes and parents, as the lines with their depths say."""
    sizes, parents, way = {}, {}, [ROOT]
    for line in answer['tree']:
        assert 'addr' in line, line
        i = int(line['addr'], 16) // 16
        del way[line['depth'] + 1:]
        parents[i] = way[-1]
        way.append(i)
        sizes[i] = line['retained']
    return sizes, parents


def topmost(parents, sizes, group):
    """Sum over those that have none of their group above them."""
    sums = collections.Counter()
    for i in parents:
        above = parents[i]
        while above != ROOT and group[above] != group[i]:
            above = parents[above]
        if above == ROOT:
            sums[group[i]] += sizes[i]
    return dict(sums)


def check(heap, path, _):
    live = heap.reached()
    sizes, parents = tree_of(ask(path, 'retained', '--min-percent', '0', '--max-depth', '1000'))
    assert set(sizes) == live, ('live', set(sizes) ^ live)
    for i in live:
        gone = live - heap.reached(without=i)
        assert sizes[i] == sum(heap.size[k] for k in gone), ('retained by', i, sizes[i], gone)
    graph = networkx.DiGraph()
    graph.add_node(ROOT)
    graph.add_edges_from((i, k) for i in [ROOT, *live] for k in heap.graph[i])
    theirs = networkx.immediate_dominators(graph, ROOT)
    theirs.pop(ROOT, None)
    assert parents == theirs, ('dominators', parents, theirs)
    top = ask(path, 'top', '--sort', 'retained', '--top-allocations', '1000')['objects']
    assert {int(o['addr'], 16) // 16: o['retained'] for o in top} == sizes
    assert [o['retained'] for o in top] == sorted(sizes.values(), reverse=True)
    module = {i: name.rpartition('.')[0] for i, name in heap.type.items()}
    for by, group in ('type', heap.type), ('module', module):
        rows = ask(path, 'types', '--by', by)[by + 's']
        assert {row[by]: row['retained'] for row in rows} == topmost(parents, sizes, group), by


random_heaps.run('retained sizes of random heaps', Heap, check, 60)
