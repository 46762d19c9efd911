# SPDX-License-Identifier: MIT
"""Functions and their code, generators, coroutines, frames."""
import asyncio
import functools
import operator
import sys
import types

from .plants import VERSION, fresh
from .objects import Plain, Derived


def make_closure(captured, other):
    def inner(default=['default'], *, keyword=['keyword']):
        def nested():
            return 'nested', captured
        return captured, other, nested, 'a constant', 123456789

    inner.attr = ['of a function']
    return inner


def annotated(x: Plain) -> 'text':
    """A docstring."""


def code_of(code, name):
    return next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)


def callables(p):
    captured = ['captured']
    f = make_closure(captured, 5)
    code = f.__code__
    p.edge('closure', f, '<closure>', f.__closure__)
    names = dict(zip(code.co_freevars, f.__closure__))
    p.edge('cell of a closure', f.__closure__, '<cell captured>', names['captured'])
    p.edge('cell', names['captured'], '.cell_contents', captured)
    p.edge('defaults', f, '.__defaults__', f.__defaults__)
    p.edge('default', f.__defaults__, '<default 0>', f.__defaults__[0])
    p.edge('keyword defaults', f, '.__kwdefaults__', f.__kwdefaults__)
    p.edge('keyword default', f.__kwdefaults__, "['keyword']", f.__kwdefaults__['keyword'])
    p.edge('globals', f, '<globals>', f.__globals__)
    p.edge('code', f, '<code>', code)
    p.edge('dict of a function', f, '.__dict__', f.__dict__)
    p.edge('doc', annotated, '.__doc__', annotated.__doc__)
    p.edge('name', f, '.__name__', f.__name__)
    p.edge('consts', code, '.co_consts', code.co_consts)
    at = code.co_consts.index('a constant')
    p.edge('constant', code.co_consts, '<const %d>' % at, code.co_consts[at])
    nested = code_of(code, 'nested')
    p.edge('nested code', code.co_consts, '<const %d>' % code.co_consts.index(nested), nested)
    p.path('constant of nested code', nested, ['.co_consts ; <const %d>' % nested.co_consts.index('nested')], 'nested')
    p.edge('file name', code, '.co_filename', code.co_filename)
    p.edge('names', annotated.__code__, '.co_name', annotated.__code__.co_name)
    part = functools.partial(f, ['argument'], keyword=['k'])
    p.edge('partial', part, '.func', f)
    p.edge('partial', part, '.args', part.args)
    p.edge('partial', part, '.keywords', part.keywords)
    bound = Plain().__init__
    p.type('method wrapper', bound)
    p.edge('method wrapper', bound, '.__self__', bound.__self__)
    method = types.MethodType(f, p)
    p.edge('bound method', method, '.__self__', p)
    p.edge('bound method', method, '.__func__', f)
    append = [1].append
    p.edge('built-in method', append, '.__self__', append.__self__)
    prop = property(f, method, part, fresh('doc'))
    for name in ('fget', 'fset', 'fdel', '__doc__'):
        p.edge('property', prop, '.' + name, getattr(prop, name))
    p.edge('staticmethod', staticmethod(f), '.__func__', f)
    p.edge('classmethod', classmethod(f), '.__func__', f)
    s = super(Derived, Derived())
    p.edge('super', s, '.__self__', s.__self__)
    p.edge('super', s, '.__thisclass__', Derived)
    for size in (10, None):
        cached = functools.lru_cache(size)(Cached())
        arguments, result = ('first', 2), cached('first', 2)
        p.edge('lru_cache', cached, '<function>', cached.__wrapped__)
        p.attribute('lru_cache', cached, '__wrapped__', cached.__wrapped__)
        p.path('result in an lru_cache', cached, ['[<functools._HashedSeq>]', '[<builtins.tuple>]', '[<functools.*]', '<cache> ; [*]'], result)
    getter = operator.attrgetter(fresh('planted.attr'))
    p.type('attrgetter', getter)


class Cached:
    def __call__(self, *arguments):
        return ['result', arguments]


def consume(*arguments):
    return arguments


def generator():
    local = ['local of a generator']
    consume(['stack of a generator'], (yield local))


async def innermost(future):
    await future


async def outer(future):
    kept = ['kept while awaiting']
    await innermost(future)
    return kept


async def async_generator():
    local = ['local of an async generator']
    yield local
    yield local


def delegating(inner):
    yield from inner


def own_frame():
    variable = ['local of a frame that is over']
    return sys._getframe(), variable


def suspended(p):
    g = generator()
    local = next(g)
    for_frames = ['<frame> ; ', ''] if VERSION < (3, 11) else ['']
    p.path('local of a generator', g, [f + '<local local>' for f in for_frames], local)
    inner = generator()
    d = delegating(inner)
    next(d)
    p.path('yield from', d, [f + '<awaits>' for f in for_frames], inner)
    p.path('variable of a generator', d, [f + '<local inner>' for f in for_frames], inner)
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    task = loop.create_task(outer(future))
    loop.run_until_complete(asyncio.sleep(0))
    p.edge('task', task, '._fut_waiter', future)
    coroutine = task.get_coro() if VERSION >= (3, 8) else task._coro
    p.edge('task', task, '._coro', coroutine)
    waiting = coroutine.cr_await
    p.path('await', coroutine, [f + '<awaits>' for f in for_frames], waiting)
    p.type('what is awaited', waiting)
    p.path('await of a future', waiting, [f + '<awaits> ; ' + g for f in for_frames for g in ('<future>', '*')], future)
    agen = async_generator()
    try:
        agen.__anext__().send(None)
    except StopIteration as e:
        p.path('async generator', agen, [f + '<local local>' for f in for_frames], e.value)
    step = agen.__anext__()
    p.edge('step of an async generator', step, '<async generator>', agen)
    for what, o in (('generator', g), ('coroutine', coroutine), ('async generator', agen)):
        code = getattr(o, {'generator': 'gi_code', 'coroutine': 'cr_code'}.get(what, 'ag_code'))
        p.path('code of a ' + what, o, [f + '<code>' for f in for_frames], code)
        p.edge('name of a ' + what, o, '.__qualname__', o.__qualname__)
    p.keep.append((loop, step))
    frame, variable = own_frame()
    p.edge('local of a frame', frame, '<local variable>', variable)
    p.path('back', frame, ['<f_back>'], frame.f_back) if frame.f_back else None
    p.edge('code of a frame', frame, '<code>', frame.f_code)
    try:
        raise ValueError(['argument of an exception'])
    except ValueError as e:
        error = e
    p.edge('exception', error, '.args', error.args)
    p.edge('exception', error, '.__traceback__', error.__traceback__)
    p.edge('traceback', error.__traceback__, '.tb_frame', error.__traceback__.tb_frame)
    p.edge('back', frame_of_child(), '<f_back>', sys._getframe())


def frame_of_child():
    return sys._getframe()


def trace(frame, event, argument):
    return None
