# SPDX-License-Identifier: MIT
# The built-in payload "tasks": every asyncio task of every loop with its chain of awaits, as text. Asks only what answers without running
# the application's code: attributes of tasks, coroutines and frames, never a repr of its objects.

def __payload_entrypoint(output_path, event_loop):
    import sys
    modules = sys.modules
    asyncio_tasks = modules.get('asyncio.tasks')

    def running_loops():
        # The loop that was found for us, and those whose run_forever() stands on a thread's stack.
        kind = getattr(modules.get('asyncio.events'), 'AbstractEventLoop', None)
        loops = [event_loop] if event_loop is not None else []
        for frame in sys._current_frames().values():
            while frame is not None:
                if kind is not None and frame.f_code.co_name == 'run_forever':
                    loop = frame.f_locals.get('self')
                    if isinstance(loop, kind) and not any(loop is other for other in loops):
                        loops.append(loop)
                frame = frame.f_back
        return loops

    def all_tasks():
        found = []
        for name in ('_all_tasks', '_scheduled_tasks', '_eager_tasks'):
            for attempt in range(100):
                try:
                    found += list(getattr(asyncio_tasks, name, ()))
                    break
                except RuntimeError:
                    pass  # its own thread changed it meanwhile
        if asyncio_tasks is not None and sys.version_info >= (3, 14):  # those of its C part stand in a list of each thread
            for loop in running_loops():
                found += asyncio_tasks.all_tasks(loop)
        unique = {id(task): task for task in found}
        return list(unique.values())

    def name_of(task):
        try:
            return task.get_name()
        except Exception:
            return 'Task'

    def state_of(future):
        try:
            if not future.done():
                return 'pending'
            return 'cancelled' if future.cancelled() else 'failed' if future._exception is not None else 'done'
        except Exception:
            return 'unknown'

    def kind_of(thing):
        kind = type(thing)
        return kind.__module__ + '.' + kind.__qualname__

    def step(thing):
        # Name, code, frame and what it awaits, of a coroutine, generator or asynchronous generator; None for other awaitables.
        for prefix, following in (('cr_', 'cr_await'), ('gi_', 'gi_yieldfrom'), ('ag_', 'ag_await')):
            try:
                code, frame, after = getattr(thing, prefix + 'code'), getattr(thing, prefix + 'frame'), getattr(thing, following)
            except Exception:
                continue
            return getattr(thing, '__qualname__', None) or code.co_name, code, frame, after
        return None

    def hidden_generator(awaitable):
        # asend() and athrow() do not show the asynchronous generator that they drive: found among what they refer to.
        loaded = 'gc' in modules
        import gc
        if not loaded:
            modules.pop('gc', None)
        return next((other for other in gc.get_referents(awaitable) if type(other).__name__ == 'async_generator'), None)

    def chain(task):
        lines, seen = [], set()
        thing = task.get_coro()
        while thing is not None and id(thing) not in seen and len(seen) < 1000:
            seen.add(id(thing))
            found = step(thing)
            if found is None:
                kind = type(thing).__name__
                inner = hidden_generator(thing) if kind in ('async_generator_asend', 'async_generator_athrow') else None
                if inner is None and kind != 'FutureIter':  # of that one the future follows below
                    lines.append('on %s at 0x%x' % (kind_of(thing), id(thing)))
                thing = inner
                continue
            name, code, frame, after = found
            line = frame.f_lineno if frame is not None else code.co_firstlineno
            lines.append('%s at %s:%s%s' % (name, code.co_filename, line, '' if frame is not None else ' (not running)'))
            thing = after
        waiter = getattr(task, '_fut_waiter', None)
        if waiter is not None:
            text = 'waits for %s at 0x%x, %s' % (kind_of(waiter), id(waiter), state_of(waiter))
            if asyncio_tasks is not None and isinstance(waiter, asyncio_tasks.Task):
                text += ", name '%s'" % name_of(waiter)
            children = getattr(waiter, '_children', None)
            if isinstance(children, list):
                pending = [name_of(child) for child in children if state_of(child) == 'pending']
                text += ', of %d children %d pending' % (len(children), len(pending))
                text += ''.join(', %s' % name for name in pending[:20]) + (', ...' if len(pending) > 20 else '')
            lines.append(text)
        return lines

    def made_at(task):
        trace = getattr(task, '_source_traceback', None)
        if not trace:
            return None
        last = trace[-1]
        return '%s:%s in %s' % (last.filename, last.lineno, last.name)

    tasks = all_tasks()
    by_loop = {}
    for task in tasks:
        try:
            loop = task.get_loop()
        except Exception:
            loop = None
        by_loop.setdefault(id(loop), (loop, []))[1].append(task)
    out = ['%d tasks, %d loops\n' % (len(tasks), len(by_loop))]
    for loop, members in by_loop.values():
        running = loop is not None and loop.is_running()
        out.append('\nloop %s at 0x%x, %s, %d tasks\n' % (kind_of(loop), id(loop), 'running' if running else 'not running', len(members)))
        for task in sorted(members, key=lambda task: (len(name_of(task)), name_of(task))):
            out.append("\n- %s '%s' at 0x%x, %s\n" % (kind_of(task), name_of(task), id(task), state_of(task)))
            try:
                lines = chain(task)
            except Exception as error:
                lines = ['its chain cannot be read: %s' % type(error).__qualname__]
            out += ['  %s%s\n' % ('  ' * depth, line) for depth, line in enumerate(lines)]
            made = made_at(task)
            if made:
                out.append('  created at %s\n' % made)
    with open(output_path, 'wb') as file:
        file.write(''.join(out).encode('utf-8', 'backslashreplace'))
