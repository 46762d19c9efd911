# SPDX-License-Identifier: MIT
"""Greenlets that are suspended: what their functions hold is in no thread."""
import sys

VERSION = sys.version_info[:2]


def inner(switch):
    shared = ['shared with a function inside']

    def closure():
        return shared
    below = ['variable of the innermost function of a greenlet']
    switch((below, shared, closure))


def outer(switch):
    above = ['variable of a function that waits for another, in a greenlet']
    for _ in [['element of a list that a greenlet goes through']]:
        inner(lambda value: switch((above, value)))


def greenlets(p):
    try:
        import greenlet
    except ImportError:
        return
    g = greenlet.greenlet(outer)
    above, (below, shared, closure) = g.switch(greenlet.getcurrent().switch)
    lambda_frame = g.gr_frame
    inner_frame = lambda_frame.f_back
    outer_frame = inner_frame.f_back
    del above
    if VERSION >= (3, 11):
        p.edge('frame of a greenlet', g, '.gr_frame', lambda_frame)
        p.edge('code of a greenlet', g, '.gr_frame.f_back.f_code', inner_frame.f_code)
        p.edge('variable in a greenlet', g, ".gr_frame.f_back.f_locals['below']", below)
        p.edge('variable of a caller in a greenlet', g, ".gr_frame.f_back.f_back.f_locals['_']", outer_frame.f_locals['_'])
        p.edge('cell of a greenlet', g, '.gr_frame.f_back<cell shared>', closure.__closure__[0])
    else:
        p.edge('frame of a greenlet', g, '.gr_frame', lambda_frame)
        p.path('caller in a greenlet', g, ['.gr_frame ; <f_back>'], inner_frame)
        p.edge('variable in a greenlet', inner_frame, '<local below>', below)
    p.keep.append(g)
    only = greenlet.greenlet(outer)
    above, (below, _, _) = only.switch(greenlet.getcurrent().switch)
    p.list.append(['held by nothing but a greenlet', 'type', id(above), 'builtins.list', sys.getsizeof(above)])
    p.keep.append(only)
