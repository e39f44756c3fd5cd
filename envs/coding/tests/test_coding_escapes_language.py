"""Tricks of the language that get at modules and names which were not given; each ends at a file that it must not reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

TRICKS = {
    "subclasses": """
        for kind in ().__class__.__base__.__subclasses__():
            if kind.__name__ == '_wrap_close':
                print(kind.__init__.__globals__['popen']('cat @SECRET@').read())
    """,
    "subclasses_by_getattr": """
        base = getattr(getattr((), '__cla' + 'ss__'), '__ba' + 'se__')
        for kind in getattr(base, '__subcl' + 'asses__')():
            if kind.__name__ == 'FileLoader':
                print(kind('x', '@SECRET@').get_data('@SECRET@'))
    """,
    "loader_class": """
        kinds = [].__class__.__mro__[1].__subclasses__()
        loader = next(kind for kind in kinds if kind.__name__ == 'FileLoader')
        print(loader.get_data(loader('x', 'y'), '@SECRET@'))
    """,
    "globals_of_a_function": """
        def nothing():
            pass
        builtins = nothing.__globals__['__builtins__']
        opened = builtins['open'] if isinstance(builtins, dict) else builtins.open
        print(opened('@SECRET@').read())
    """,
    "builtins_of_print": "print(print.__self__.open('@SECRET@').read())",
    "builtins_of_len": "print(len.__self__.__import__('os').popen('cat @SECRET@').read())",
    "frame": """
        import sys
        frame = sys._getframe()
        while frame:
            print(frame.f_builtins['open']('@SECRET@').read())
            frame = frame.f_back
    """,
    "frame_of_a_generator": """
        def numbers():
            yield 1
        held = numbers()
        next(held)
        print(held.gi_frame.f_builtins['open']('@SECRET@').read())
    """,
    "frame_of_a_traceback": """
        try:
            1 / 0
        except ZeroDivisionError as error:
            print(error.__traceback__.tb_frame.f_builtins['open']('@SECRET@').read())
    """,
    "frame_of_a_coroutine": """
        async def nothing():
            pass
        held = nothing()
        print(held.cr_frame.f_builtins['open']('@SECRET@').read())
        held.close()
    """,
    "eval": "print(eval(\"open('@SECRET@').read()\"))",
    "exec": "exec(\"print(open('@SECRET@').read())\")",
    "compile": "eval(compile(\"print(open('@SECRET@').read())\", 'x', 'exec'))",
    "import_by_name": "print(__import__('os').popen('cat @SECRET@').read())",
    "import_by_library": "import importlib; print(importlib.import_module('os').popen('cat @SECRET@').read())",
    "module_of_random": "import random; print(random._os.popen('cat @SECRET@').read())",
    "module_of_statistics": "import statistics; print(statistics.sys.modules['os'].popen('cat @SECRET@').read())",
    "module_of_queue": "import queue; print(queue.threading._sys.modules['os'].popen('cat @SECRET@').read())",
    "module_of_collections": "import collections; print(collections._sys.modules['os'].popen('cat @SECRET@').read())",
    "module_of_re": "import re; print(re.enum.sys.modules['os'].popen('cat @SECRET@').read())",
    "spec_of_a_module": "import re; print(re.__spec__.loader.get_data('@SECRET@'))",
    "pickle": """
        import pickle
        class Bomb:
            def __reduce__(self):
                return open, ('@CANARY@', 'w')
        pickle.loads(pickle.dumps(Bomb()))
    """,
    "marshal": """
        import marshal, types
        code = compile("print(open('@SECRET@').read())", 'x', 'exec')
        types.FunctionType(marshal.loads(marshal.dumps(code)), {})()
    """,
    "replaced_code": """
        def harmless():
            pass
        harmless.__code__ = (lambda: print(open('@SECRET@').read())).__code__
        harmless()
    """,
    "finalizer": """
        class Last:
            def __del__(self):
                print(open('@SECRET@').read())
        Last()
    """,
    "sort_key": "sorted([1], key=lambda _: print(open('@SECRET@').read()) or 0)",
    "metaclass": """
        class Meta(type):
            def __getattr__(cls, name):
                return open('@SECRET@').read()
        class Asked(metaclass=Meta):
            pass
        print(Asked.anything)
    """,
    "collected_objects": """
        import gc, os
        for held in gc.get_objects():
            if isinstance(held, dict) and callable(held.get('popen')):
                print(held['popen']('cat @SECRET@').read())
                break
    """,
    "module_from_file": "import pydoc; print(pydoc.importfile('@SECRET@'))",
    "trace_function": """
        import sys
        sys.settrace(lambda frame, event, given: print(frame.f_builtins['open']('@SECRET@').read()))
        (lambda: 0)()
        sys.settrace(None)
    """,
    "stream_in_c": """
        import ctypes
        held = ctypes.create_string_buffer(200)
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        stream = libc.fopen(b'@SECRET@', b'r')
        if stream:
            libc.fread(held, 1, 200, ctypes.c_void_p(stream))
        print(held.value)
    """,
    "thread": """
        import threading
        thread = threading.Thread(target=lambda: print(open('@SECRET@').read()))
        thread.start()
        thread.join()
    """,
    "at_exit": "import atexit; atexit.register(lambda: print(open('@SECRET@').read())); atexit._run_exitfuncs()",
    "signal_handler": """
        import signal
        signal.signal(signal.SIGALRM, lambda *_: print(open('@SECRET@').read()))
        signal.raise_signal(signal.SIGALRM)
    """,
}


@pytest.mark.parametrize("executor", ["cpython", "smolagents"])
@pytest.mark.parametrize("trick", TRICKS)
def test_no_name_leads_out(withstand: Callable[..., Any], trick: str, executor: str) -> None:
    withstand(TRICKS[trick], executor, works=executor == "cpython")
