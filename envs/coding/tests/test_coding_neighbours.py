"""Two sessions that want to tell each other something find no way that the walls can close."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from coding_env import CodeAction
from coding_env.server.environment import CodingEnvironment

SIGNS = {
    "flock": (
        "import fcntl, os\nheld = open(os.__file__)\nfcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        """
        import fcntl, os
        try:
            fcntl.flock(open(os.__file__), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('told')
        """,
    ),
    "lock": (
        "import fcntl, os\nheld = open(os.devnull, 'w')\nfcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        """
        import fcntl, os
        try:
            fcntl.lockf(open(os.devnull, 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print('told')
        """,
    ),
    "look at a lock": (
        "import fcntl, os\nheld = open(os.__file__)\nfcntl.lockf(held, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        """
        import fcntl, os, struct
        asked = fcntl.fcntl(open(os.__file__), fcntl.F_GETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
        if struct.unpack('hhqqi4x', asked)[0] != fcntl.F_UNLCK:
            print('told')
        """,
    ),
    "lock of an open file": (
        "import fcntl, os, struct\nheld = open(os.devnull, 'w')\nfcntl.fcntl(held, 37, struct.pack('hhqqi4x', 1, 0, 0, 0, 0))",
        """
        import fcntl, os, struct
        try:
            fcntl.fcntl(open(os.devnull, 'w'), 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
        except BlockingIOError:
            print('told')
        """,
    ),
    "file": (
        """
        for place in ('/tmp', '/var/tmp', '/dev/shm', '/run'):
            try:
                open(place + '/sign', 'w').write('x')
            except OSError:
                pass
        """,
        """
        import os
        if any(os.path.exists(place + '/sign') for place in ('/tmp', '/var/tmp', '/dev/shm', '/run')):
            print('told')
        """,
    ),
    "semaphore": (
        "import _multiprocessing\nheld = _multiprocessing.SemLock(1, 1, 1, '/sign', False)",
        """
        import _multiprocessing
        try:
            _multiprocessing.SemLock._rebuild(0, 1, 1, '/sign')
            print('told')
        except OSError:
            pass
        """,
    ),
    "number of threads": (
        """
        import threading, time
        for _ in range(7):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        """,
        """
        import os
        for n in range(100_000):
            try:
                if os.stat(f'/proc/{n}/task').st_nlink == 2 + 8:
                    print('told')
                    break
            except OSError:
                pass
        """,
    ),
}


@pytest.fixture
def two() -> Iterator[list[CodingEnvironment]]:
    made = [CodingEnvironment(executor="cpython") for _ in range(2)]
    yield made
    for each in made:
        each.close()


@pytest.mark.parametrize("sign", SIGNS)
def test_sessions_leave_no_signs_for_one_another(two: list[CodingEnvironment], sign: str) -> None:
    missing: Any = [each.reset().metadata["protection"]["missing"] for each in two]
    if sign == "number of threads" and any(each.startswith("processes:") for each in missing[0]):
        pytest.skip("here /proc cannot be hidden, which is said")
    give, take = (textwrap.dedent(code) for code in SIGNS[sign])
    assert "told" not in two[1].step(CodeAction(code=take)).stdout, "it is there without being given"
    two[0].step(CodeAction(code=give))
    seen = two[1].step(CodeAction(code=take))
    assert "told" not in seen.stdout


def test_a_database_in_the_folder_has_the_locks_that_it_needs(two: list[CodingEnvironment]) -> None:
    two[0].reset()
    code = (
        "import sqlite3\nfor n in range(2):\n    with sqlite3.connect('data') as held:\n"
        "        held.execute('create table if not exists t (n)')\n        held.execute('insert into t values (?)', (n,))\n"
        "print(sqlite3.connect('data').execute('select * from t').fetchall())"
    )
    seen = two[0].step(CodeAction(code=code))
    assert (seen.stdout, seen.stderr) == ("[(0,), (1,)]\n", "")
