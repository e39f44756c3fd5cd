"""Limits: what hits one has that as its outcome, and server and grade go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coding_env import CodeAction
from coding_env.server.environment import CodingEnvironment

BEYOND = {
    "memory": "held = bytearray(400 * 2**20); print('@NEKOT@'[::-1])",
    "memory_in_pieces": "held = [bytearray(10**6) for _ in range(400)]; print('@NEKOT@'[::-1])",
    "mapped_memory": "import mmap; held = mmap.mmap(-1, 400 * 2**20); held[::4096]; print('@NEKOT@'[::-1])",
    "output": "print('x' * 2**21); print('@NEKOT@'[::-1])",
    "errors": "import sys; sys.stderr.write('x' * 2**21 + '@NEKOT@'[::-1])",
    "raw_output": "import os; [os.write(1, b'x' * 2**16) for _ in range(32)]; print('@NEKOT@'[::-1])",
    "open_files": "held = [open('/dev/null') for _ in range(200)]; print('@NEKOT@'[::-1])",
    "disk": "open('big', 'wb').write(b'x' * (20 * 2**20)); print('@NEKOT@'[::-1])",
    "disk_in_pieces": "[open(f'big{n}', 'wb').write(b'x' * 2**20) for n in range(20)]; print('@NEKOT@'[::-1])",
    "sparse_file": "import os; f = open('big', 'wb'); os.posix_fallocate(f.fileno(), 0, 20 * 2**20); print('@NEKOT@'[::-1])",
    "files": "[open(f'small{n}', 'w').close() for n in range(12_000)]; print('@NEKOT@'[::-1])",
    "threads": """
        import threading, time
        for _ in range(60):
            threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
        print('@NEKOT@'[::-1])
    """,
    "cpu": """
        import time
        while time.process_time() < 1.1:
            pass
        print('@NEKOT@'[::-1])
    """,
    "cpu_of_threads": """
        import threading, time
        def work():
            while time.process_time() < 1.1:
                pass
        for thread in [threading.Thread(target=work) for _ in range(3)]:
            thread.start()
            thread.join()
        print('@NEKOT@'[::-1])
    """,
    "cpu_with_every_error_caught": """
        import signal, time
        for number in (signal.SIGTERM, signal.SIGXCPU, signal.SIGALRM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        while time.process_time() < 1.1:
            try:
                while time.process_time() < 1.1:
                    pass
            except BaseException:
                pass
        print('@NEKOT@'[::-1])
    """,
    "sleep": "import time; time.sleep(4.5); print('@NEKOT@'[::-1])",
}


MEASURED = {"disk_in_pieces", "files"}
SLOW = {"cpu_of_threads", "cpu_with_every_error_caught", "files", "sleep"}
MARKED = [pytest.param(trick, marks=pytest.mark.long) if trick in SLOW else trick for trick in BEYOND]


@pytest.mark.parametrize("trick", MARKED)
def test_nothing_goes_beyond_a_limit(session: Any, withstand: Callable[..., Any], trick: str) -> None:
    if trick in MEASURED and any(missing.startswith("disk") for missing in session.state().protection["missing"]):
        pytest.skip("here the folder is measured now and then: a short burst passes")
    seen = withstand(BEYOND[trick], "cpython")
    assert len(seen.stdout) + len(seen.stderr) < 300_000


ENDINGS = [
    ("import os; os._exit(7)", 7, "exited"),
    ("import os; os.abort()", 134, "exited"),
    ("import ctypes; ctypes.string_at(0)", 139, "exited"),
    ("import os; os.kill(os.getpid(), 9)", 137, "exited"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", 124, "wall_time"),
    ("while True: pass", 124, "cpu_time"),
    pytest.param("import time; time.sleep(60)", 124, "wall_time", marks=pytest.mark.long),
    pytest.param("import re; re.match('(a+)+$', 'a' * 40 + 'b')", 124, "cpu_time", marks=pytest.mark.long),
    pytest.param("print(len(str(7 ** 10**9)))", 124, "cpu_time", marks=pytest.mark.long),
    (
        "import sys; sys.setrecursionlimit(10**9)\nclass A:\n  def __getattr__(self, n): return getattr(self, n + 'x')\nA().a",
        None,
        None,
    ),
    ("import sys; f = lambda: f(); sys.setrecursionlimit(10**9); f()", None, None),
    ("import os; os.closerange(0, 100)", None, "exited"),
    ("import os\nfor fd in range(100):\n  try: os.write(fd, b'\\xff' * 5000)\n  except OSError: pass", 124, "tampered"),
    ("import os; os.write(3, b'\\x00\\x00\\x00\\x02{}')", 124, "tampered"),
    ("import os; os.write(3, b'\\x00\\x03\\x00\\x00' + b'[' * 0x30000)", 124, "tampered"),
    ("import sys; sys.exit(5)", 5, None),
    ("import sys; sys.exit('gone')", 1, None),
    ("raise KeyboardInterrupt", 1, None),
    ("raise BaseException", 1, None),
    ("class Bad(Exception):\n  def __str__(self): raise SystemExit(0)\nraise Bad", 1, None),
    ("import threading; threading.Thread(target=lambda: 1/0).start()", 0, None),
    ("(" * 500, 1, None),
    ("-" * 200_000 + "1", None, None),
    ("x = " + "9" * 5000, 1, None),
    ("print('\\x00')\x00", 1, None),
    ("import sys; sys.stdout = sys.stderr = None", 0, None),
    ("import sys; sys.stdout.close()", 0, None),
    ("import sys; sys.modules.clear()", None, None),
    ("import builtins; del builtins.len, builtins.isinstance, builtins.type", None, None),
]


@pytest.mark.parametrize(("code", "exit_code", "limit"), ENDINGS)
def test_however_code_ends_the_server_goes_on(attack: Any, code: str, exit_code: int | None, limit: str | None) -> None:
    seen = attack("cpython", code)
    if exit_code is not None:
        assert seen.exit_code == exit_code
    if exit_code is not None or limit is not None:
        assert seen.metadata.get("limit") == limit
    lost = "limit" in seen.metadata
    assert seen.metadata.get("context_lost", False) == lost
    assert ("variables are lost" in seen.stderr) == lost


@pytest.mark.long
def test_smolagents_limits_hold_too(attack: Any) -> None:
    assert attack("smolagents", "while True:\n    pass").exit_code != 0
    assert attack("smolagents", "x = [0] * 10**9").exit_code == 1
    assert attack("smolagents", "print('before')\nimport time\ntime.sleep(9)").metadata["limit"] == "wall_time"
    assert attack("smolagents", "print('before')\nimport time\ntime.sleep(9)").stdout == "before\n"


def test_threads_stand_still_between_steps_and_end_with_the_episode(session: Any) -> None:
    session.reset(executor="cpython")
    tick = (
        "import threading, time\nticks = []\ndef tick():\n  while True:\n    ticks.append(time.monotonic()); time.sleep(0.01)\n"
    )
    session.step(CodeAction(code=tick + "threading.Thread(target=tick, daemon=True).start()\ntime.sleep(0.1)"))
    time.sleep(0.5)
    longest = "print(max(b - a for a, b in zip(ticks, ticks[1:])))"
    assert float(session.step(CodeAction(code=f"time.sleep(0.1)\n{longest}")).observation.stdout) > 0.4
    session.reset(executor="cpython")
    assert "NameError" in session.step(CodeAction(code="print(ticks)")).observation.stderr
    assert session.step(CodeAction(code="import threading; print(threading.active_count())")).observation.stdout == "1\n"


def test_no_timer_wakes_what_stands_still(session: Any) -> None:
    session.reset(executor="cpython")
    code = """
import ctypes, signal, struct, threading, time
libc = ctypes.CDLL(None)
timer = ctypes.c_void_p()
wake = ctypes.create_string_buffer(struct.pack("qii", 0, signal.SIGCONT, 0), 64)
if libc.timer_create(1, wake, ctypes.byref(timer)) == 0:
    libc.timer_settime(timer, 0, struct.pack("qqqq", 0, 0, 0, 3 * 10**8), None)
ticks = []
def tick():
    while True:
        ticks.append(time.monotonic()); time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
"""
    session.step(CodeAction(code=code))
    time.sleep(1)
    longest = "time.sleep(0.1)\nprint(max(b - a for a, b in zip(ticks, ticks[1:])))"
    assert float(session.step(CodeAction(code=longest)).observation.stdout) > 0.6


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    environment = CodingEnvironment(executor="cpython", folders=str(tmp_path), wall_time_s=1.0)
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    deep = "import os\nfor _ in range(500):\n    os.mkdir('d')\n    os.chdir('d')\nopen('f', 'w').write('x')\nos.mkdir('s', 0)"
    for code in (deep, "import time; time.sleep(9)", "import os; os._exit(1)"):
        environment.reset()
        environment.step(CodeAction(code=code))
    environment.close()
    assert list(tmp_path.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors
