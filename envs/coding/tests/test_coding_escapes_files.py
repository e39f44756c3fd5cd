"""Tricks that reach for files: each works in a plain Python process, and in neither executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

TRICKS = {
    "open": "print(open('@SECRET@').read())",
    "os_open": "import os; print(os.read(os.open('@SECRET@', os.O_RDONLY), 100))",
    "fileio": "import io; print(io.FileIO('@SECRET@').read())",
    "pathlib": "import pathlib; print(pathlib.Path('@SECRET@').read_text())",
    "linecache": "import linecache; print(linecache.getline('@SECRET@', 1))",
    "libc_open": """
        import ctypes
        libc = ctypes.CDLL(None)
        held = ctypes.create_string_buffer(100)
        libc.read(libc.open(b'@SECRET@', 0), held, 100)
        print(held.value)
    """,
    "raw_system_call": """
        import ctypes, os, platform
        openat, read = {'x86_64': (257, 0), 'aarch64': (56, 63)}[platform.machine()]
        libc = ctypes.CDLL(None)
        held = ctypes.create_string_buffer(100)
        libc.syscall(read, libc.syscall(openat, -100, b'@SECRET@', 0), held, 100)
        print(held.value)
    """,
    "mapped": """
        import mmap
        with open('@SECRET@') as file:
            print(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:])
    """,
    "symbolic_link": "import os; os.symlink('@SECRET@', 'link'); print(open('link').read())",
    "symbolic_link_to_folder": "import os; os.symlink('/', 'root'); print(open('root@SECRET@').read())",
    "proc_self_root": "print(open('/proc/self/root@SECRET@').read())",
    "relative_path": "print(open('../' * 20 + '@SECRET@').read())",
    "working_directory": "import os; os.chdir('/'); print(open('@SECRET@'[1:]).read())",
    "directory_descriptor": """
        import os
        held = os.open('/', os.O_PATH)
        print(os.read(os.open('@SECRET@'[1:], os.O_RDONLY, dir_fd=held), 100))
    """,
    "hard_link": "import os; os.link('@SECRET@', '@FOLDER@/again')",
    "sendfile": """
        import os
        with open('@SECRET@') as source, open('copy', 'w+') as copy:
            os.sendfile(copy.fileno(), source.fileno(), 0, 100)
            print(open('copy').read())
    """,
    "copy": "import shutil; shutil.copyfile('@SECRET@', '@FOLDER@/copy')",
    "run_path": "import runpy; runpy.run_path('@SECRET@')",
    "import_from_path": "import sys, importlib; sys.path.insert(0, '@FOLDER@'); importlib.import_module('secret')",
    "loader": """
        import importlib.util
        spec = importlib.util.spec_from_file_location('secret', '@SECRET@')
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    """,
    "list_folder": "import os; print(os.listdir('@FOLDER@'))",
    "scan_folder": "import os; print([found.name for found in os.scandir('@FOLDER@')])",
    "glob": "import glob; print(glob.glob('@FOLDER@/*'))",
    "walk": "import os; print(list(os.walk('@FOLDER@')))",
    "write": "open('@CANARY@', 'w').write('mute')",
    "append": "open('@CANARY@', 'a').write('mute')",
    "truncate": "import os; os.truncate('@CANARY@', 0)",
    "truncate_by_opening": "import os; os.open('@CANARY@', os.O_RDONLY | os.O_TRUNC)",
    "delete": "import os; os.remove('@CANARY@')",
    "rename": "import os; os.rename('@CANARY@', '@FOLDER@/gone')",
    "replace": "import os; open('new', 'w').write('mute'); os.replace('new', '@CANARY@')",
    "change_mode": "import os; os.chmod('@CANARY@', 0o604)",
    "change_mode_of_descriptor": "import os; os.fchmod(os.open('@CANARY@', os.O_RDONLY), 0o604)",
    "change_times": "import os; os.utime('@CANARY@', (1, 1))",
    "new_file": "open('@FOLDER@/new', 'w').write('here')",
    "new_folder": "import os; os.mkdir('@FOLDER@/new')",
    "new_link": "import os; os.symlink('x', '@FOLDER@/new')",
    "new_fifo": "import os; os.mkfifo('@FOLDER@/new')",
    "database": "import sqlite3; sqlite3.connect('@FOLDER@/new').execute('create table t (c)')",
    "log_file": "import logging; logging.FileHandler('@FOLDER@/new')",
    "environment": "import os; print(os.environ['SECRET'])",
    "environment_in_c": "import ctypes; c = ctypes.CDLL(None); c.getenv.restype = ctypes.c_char_p; print(c.getenv(b'SECRET'))",
    "own_environ_file": "print(open('/proc/self/environ').read())",
    "environ_of_a_process": "print(open('/proc/@VICTIM@/environ').read())",
    "arguments_of_a_process": "print(open('/proc/@VICTIM@/cmdline').read())",
    "arguments_of_all_processes": """
        import glob
        for name in glob.glob('/proc/[0-9]*/cmdline'):
            print(open(name).read())
    """,
    "folder_of_a_process": "import os; print(os.listdir('/proc/@VICTIM@/root@FOLDER@'))",
}


@pytest.mark.parametrize("executor", ["cpython", pytest.param("smolagents", marks=pytest.mark.long)])
@pytest.mark.parametrize("trick", TRICKS)
def test_no_file_is_reached(withstand: Callable[..., Any], trick: str, executor: str) -> None:
    withstand(TRICKS[trick], executor, works=executor == "cpython")
