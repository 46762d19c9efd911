# SPDX-License-Identifier: MIT
"""Threads, and what the interpreter itself holds."""
import atexit
import builtins
import codecs
import contextvars
import os
import sys
import threading
import types
import warnings

from .plants import VERSION, fresh
from .code import consume, trace
from .objects import Plain


class Blocked:
    """A thread that waits for ever, in a call below arguments that stand on the evaluation stack."""

    def __init__(self):
        self.ready, self.never = threading.Event(), threading.Lock()
        self.never.acquire()
        self.known = {}
        self.context = contextvars.Context()
        self.thread = threading.Thread(target=self.context.run, args=(self.run,), name='planted thread', daemon=True)
        self.thread.start()
        self.ready.wait()

    def run(self):
        on_thread = ['local of a thread']
        cell = ['cell of a thread']
        var.set(['context value'])
        local.x = ['thread local']
        sys.set_asyncgen_hooks(firstiter=first_iteration, finalizer=finalization)
        try:
            raise KeyError('current exception')
        except KeyError as e:
            # nothing is made between ready and the wait
            self.known.update(on_thread=on_thread, cell=cell, exception=e, local=local.__dict__, x=local.x)
            stacked = ['on the evaluation stack']
            self.known['stacked'] = stacked
            consume(stacked, self.wait(lambda: cell))

    def wait(self, inner):
        sys.settrace(trace)
        sys.setprofile(profile)
        self.known['lambda'] = inner
        self.ready.set()
        self.never.acquire()


var = contextvars.ContextVar('planted variable', default=['default of a variable'])
local = threading.local()


def first_iteration(agen):
    pass


def finalization(agen):
    pass


def profile(frame, event, argument):
    return None


def threads(p):
    blocked = Blocked()
    known = blocked.known
    p.local('local of a thread', '<local on_thread>', known['on_thread'])
    p.local('variable of a frame', '<local inner>', known['lambda'])
    p.local('evaluation stack', '<stack *>', known['stacked'])
    p.list.append(['cell of a frame', 'cell', '<cell cell>', id(known['cell'])])
    p.root('context of a thread', '<context>', blocked.context)
    p.root('current exception', '<exception>', known['exception'])
    p.root('async generator hook', '<async gen firstiter hook>', first_iteration)
    p.root('async generator hook', '<async gen finalizer hook>', finalization)
    p.root('trace function', '<trace function>', trace)
    p.root('profile function', '<profile function>', profile)
    p.list.append(['thread', 'thread', 'planted thread', blocked.thread.ident, getattr(blocked.thread, 'native_id', 0) if VERSION >= (3, 11) else 0])
    p.path('threading.local', known['local'], ["['x']"], known['x'])
    p.path('dict of a threading.local', local, ['<dummies> ; *', '*'], known['local'])
    p.list.append(['dict of a threading.local', 'held', id(known['local']), ['[<*weakref*>]', '[<_thread._localdummy>]']])
    p.keep.append(blocked)
    context = contextvars.Context()
    value = ['value in a context']
    context.run(var.set, value)
    p.edge('default of a context variable', var, ('<default>', '.default'), contextvars_default())
    p.edge('name of a context variable', var, '.name', var.name)
    path = '<context vars> ; <root> ; <context var%s>'
    p.path('value of a context variable', context, [path % ' planted variable'], value)
    p.path('context variable', context, [path % ''], var)
    token = var.set(['another'])
    p.edge('token', token, '.var', var)


def contextvars_default():
    return contextvars.Context().run(var.get)


def search_codec(name):
    return None


def codec_error(error):
    raise error


def at_exit(*arguments, **keywords):
    pass


def looked_up(p):
    """Names that nothing has any more but the cache of attributes of types, where another name may take their place."""
    o, names = Plain(), []
    # those that are held here, too, are there whether the cache has them or not: their counts say which
    known = [fresh('known attribute %d' % i) for i in range(3000)]
    for name in known:
        getattr(o, name, None)
    p.list.append(['known names in the cache of types', 'exact', [id(name) for name in known]])
    p.keep.append(known)
    for i in range(300):
        name = fresh('planted attribute %d' % i)
        getattr(o, name, None)
        names.append(id(name))
    p.list.append(['names in the cache of types', 'roots', '<type cache>', names, 3])


def after_fork():
    pass


def interpreter(p):
    codecs.register(search_codec)
    codecs.register_error('planted', codec_error)
    p.list.append(['codec search function', 'held', id(search_codec), ['[*]']])
    p.list.append(['codec error handler', 'held', id(codec_error), ["['planted']"]])
    arguments = ['argument of atexit']
    atexit.register(at_exit, arguments, keyword=['keyword of atexit'])
    p.list.append(['atexit function', 'held or root', id(at_exit), ['<atexit function>', '[0]', '<module state>']])
    p.list.append(['atexit argument', 'held', id(arguments), ['[0]']])
    hook = {}.get
    sys.addaudithook(hook)
    p.list.append(['audit hook', 'held', id(hook), ['[0]', '[1]']])
    os.register_at_fork(after_in_parent=after_fork)
    p.list.append(['function for after a fork', 'held', id(after_fork), ['[*]']])
    p.root('filters of warnings', '<warnings filters>', warnings.filters)
    p.root('builtins', 'builtins.__dict__', builtins.__dict__)
    p.root('sys.modules', 'sys.modules', sys.modules)
    p.edge('module', sys.modules, "['codecs']", codecs)
    hidden = types.ModuleType('hidden_module')
    hidden.x = ['attribute of a hidden module']
    p.path('hidden module', hidden, [".__dict__ ; ['x']"], hidden.x)
    interned = sys.intern(fresh('planted and interned'))
    p.type('interned str', interned)
    p.list.append(['interned str', 'interned', id(interned)])
    if VERSION >= (3, 12):
        sys.monitoring.use_tool_id(3, 'planted tool')
        sys.monitoring.register_callback(3, sys.monitoring.events.LINE, trace)
        p.root('monitoring callback', '<monitoring callback>', trace)
