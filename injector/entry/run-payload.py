# SPDX-License-Identifier: MIT
# Runs a payload inside the target. Its globals are a dictionary of ours that holds payload, payload_name, output_path, traceback_path and
# printed_path. It imports nothing that may not be loaded yet, changes nothing of the application's, and leaves no name, thread object or cycle behind.
# No docstrings: for each of them 3.13's compiler and later ones look up a method by a text made anew, which stays in the cache of types.
# `failed` in the globals tells the caller that the payload raised.

def run(own):
    import sys
    modules = sys.modules
    printed = []
    namespace = {}
    write = print

    def captured_print(*values, **how):
        # The payload's print: the text goes to whoever asked for the run, not into the application's output.
        if how.get('file') is not None:
            return write(*values, **how)
        sep, end = how.get('sep'), how.get('end')
        printed.append((' ' if sep is None else sep).join(map(str, values)) + ('\n' if end is None else end))

    def source_line(name, number):
        if name != payload_name:
            return ''
        lines = payload.decode('utf-8', 'replace').splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ''

    def frames_of(error):
        # Lines for the stack of an exception, without our own frames.
        lines, before, repeated = [], None, 0
        step = error.__traceback__
        while step is not None and step.tb_frame.f_globals is own:
            step = step.tb_next
        while step is not None:
            code = step.tb_frame.f_code
            here = '  File "%s", line %s, in %s\n' % (code.co_filename, step.tb_lineno, code.co_name)
            text = source_line(code.co_filename, step.tb_lineno)
            repeated = repeated + 1 if here == before else 0
            if repeated < 3:
                lines.append(here + ('    %s\n' % text if text else ''))
            elif repeated == 3:
                lines.append('  [the same line repeated]\n')
            before = here
            step = step.tb_next
        return ''.join(lines)

    def message_of(error):
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ in ('builtins', '__main__') else kind.__module__ + '.' + kind.__qualname__
        try:
            text = str(error)
        except BaseException:
            text = '<its text cannot be had>'
        where = ''
        if isinstance(error, SyntaxError) and error.filename is not None:
            where = '  File "%s", line %s\n' % (error.filename, error.lineno)
            line = (error.text or '').rstrip('\n')
            if line.strip():
                where += '    %s\n' % line.strip()
                if error.offset:
                    where += '    %s^\n' % (' ' * max(0, error.offset - 1 - (len(line) - len(line.lstrip()))))
            text = error.msg
        return '%s%s%s\n' % (where, name, ': ' + text if text else '')

    def describe(error):
        # Like traceback.format_exception, which may not be loaded.
        parts, seen = [], set()
        while error is not None and id(error) not in seen and len(seen) < 50:
            seen.add(id(error))
            stack = frames_of(error)
            parts.append(('Traceback (most recent call last):\n' + stack if stack else '') + message_of(error))
            if error.__cause__ is not None:
                error, link = error.__cause__, '\nThe above exception was the direct cause of the following exception:\n\n'
            elif error.__context__ is not None and not error.__suppress_context__:
                error, link = error.__context__, '\nDuring handling of the above exception, another exception occurred:\n\n'
            else:
                break
            if id(error) not in seen:
                parts.append(link)
        return ''.join(reversed(parts))

    def put(path, text):
        with open(path, 'wb') as file:
            file.write(text.encode('utf-8', 'backslashreplace'))

    def running_loop():
        # The event loop that runs in some thread, the main thread's first; None without one. Loads nothing, asks no thread.
        tasks = modules.get('asyncio.tasks')
        found = []
        for name in ('_all_tasks', '_scheduled_tasks', '_eager_tasks'):
            for attempt in range(20):
                try:
                    found += list(getattr(tasks, name, ()))
                    break
                except RuntimeError:
                    pass  # changed by its own thread meanwhile
        loops = []
        for task in found:
            try:
                loop = task.get_loop()
                if loop.is_running() and not any(loop is other for other in loops):
                    loops.append(loop)
            except Exception:
                pass
        # A loop without any task: its run_forever() stands on a thread's stack.
        if not loops and 'asyncio.base_events' in modules:
            base = modules['asyncio.base_events'].BaseEventLoop
            for frame in list(sys._current_frames().values()):
                while frame is not None:
                    if frame.f_code is base.run_forever.__code__:
                        loop = frame.f_locals.get('self')
                        if loop is not None and not any(loop is other for other in loops):
                            loops.append(loop)
                    frame = frame.f_back
        main = getattr(getattr(modules.get('threading'), '_main_thread', None), 'ident', None)
        loops.sort(key=lambda loop: getattr(loop, '_thread_id', None) != main)
        return loops[0] if loops else None

    def forget_thread():
        # threading.current_thread(), which logging calls, made an object for this thread that would stay.
        threading = modules.get('threading')
        if threading is None:
            return
        try:
            ident = threading.get_ident()
            thread = threading._active.get(ident)
            if isinstance(thread, threading._DummyThread):
                with threading._active_limbo_lock:
                    threading._active.pop(ident, None)
        except Exception:
            pass

    try:
        namespace.update(__name__='__payload__', __file__=payload_name, __builtins__=own['__builtins__'], print=captured_print)
        exec(compile(payload, payload_name, 'exec', dont_inherit=True), namespace)
        entry = namespace.get('__payload_entrypoint')
        if entry is None:
            raise NameError('the payload does not define __payload_entrypoint(output_path, event_loop)')
        entry(output_path, running_loop())
    except BaseException as error:
        own['failed'] = True
        put(traceback_path, describe(error))
        del error
    finally:
        entry = None
        if printed:
            put(printed_path, ''.join(printed))
        namespace.clear()
        forget_thread()


run(globals())
