"""Tricks that reach for processes, sockets and the kernel: each works in a plain Python process, and in neither executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PROCESSES = {
    "fork": """
        import os
        if os.fork() == 0:
            open('@CANARY@', 'w').write('mute')
            os._exit(0)
        os.wait()
        print('@NEKOT@'[::-1])
    """,
    "fork_in_c": """
        import ctypes, os
        child = ctypes.CDLL(None).fork()
        if child == 0:
            os._exit(0)
        if child > 0:
            print('@NEKOT@'[::-1])
    """,
    "fork_by_number": """
        import ctypes, os, platform
        clone = {'x86_64': 56, 'aarch64': 220}[platform.machine()]
        child = ctypes.CDLL(None).syscall(clone, 17, 0, 0, 0, 0)
        if child == 0:
            os._exit(0)
        if child > 0:
            print('@NEKOT@'[::-1])
    """,
    "fork_bomb": """
        import os
        for _ in range(5):
            if os.fork() == 0:
                os._exit(0)
        print('@NEKOT@'[::-1])
    """,
    "subprocess": "import subprocess; print(subprocess.run(['cat', '@SECRET@'], capture_output=True).stdout)",
    "shell": "import os; os.system('echo mute > @CANARY@')",
    "popen": "import os; print(os.popen('cat @SECRET@').read())",
    "spawn": "import os; os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', 'echo mute > @CANARY@'], {}), 0)",
    "execute": "import os; os.execv('/bin/sh', ['sh', '-c', 'cat @SECRET@'])",
    "execute_from_memory": """
        import os
        held = os.memfd_create('program')
        os.write(held, open('/bin/sh', 'rb').read())
        os.execve(held, ['sh', '-c', 'cat @SECRET@'], {'PATH': '/bin:/usr/bin'})
    """,
    "multiprocessing": """
        import multiprocessing
        worker = multiprocessing.get_context('fork').Process(target=lambda: open('@CANARY@', 'w').write('mute'))
        worker.start()
        worker.join()
    """,
    "process_pool": """
        import concurrent.futures, multiprocessing, os
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('fork')) as pool:
            print(pool.submit(os.getpid).result() and '@NEKOT@'[::-1])
    """,
    "terminal": "import pty; pty.spawn(['sh', '-c', 'echo mute > @CANARY@'])",
    "daemon_that_outlives": """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                open('@CANARY@', 'w').write('mute')
            os._exit(0)
        time.sleep(0.3)
    """,
    "kill": "import os; os.kill(@VICTIM@, 9)",
    "kill_group": "import os; os.killpg(os.getpgid(@VICTIM@), 0); print('@NEKOT@'[::-1])",
    "kill_by_descriptor": "import os, signal; signal.pidfd_send_signal(os.pidfd_open(@VICTIM@), 9)",
    "kill_in_c": "import ctypes; ctypes.CDLL(None).kill(@VICTIM@, 9)",
    "signal_to_parent": "import os; os.kill(os.getppid(), 0); print('@NEKOT@'[::-1])",
    "signal_by_owner": """
        import fcntl, os
        fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, @VICTIM@)
        print('@NEKOT@'[::-1])
    """,
    "trace": "import ctypes; print('@NEKOT@'[::-1]) if ctypes.CDLL(None).ptrace(16, @VICTIM@, 0, 0) == 0 else None",
    "priority": "import os; os.setpriority(os.PRIO_PROCESS, @VICTIM@, 19); print('@NEKOT@'[::-1])",
    "limits_of_a_process": """
        import resource
        resource.prlimit(@VICTIM@, resource.RLIMIT_CORE, (0, 0))
        print('@NEKOT@'[::-1])
    """,
    "affinity_of_a_process": "import os; os.sched_setaffinity(@VICTIM@, {0}); print('@NEKOT@'[::-1])",
    "own_limits": "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); print('@NEKOT@'[::-1])",
}

SOCKETS = {
    "connect": "import socket; socket.create_connection(('127.0.0.1', @TCP_PORT@))",
    "socket_in_c": "import ctypes; print('@NEKOT@'[::-1]) if ctypes.CDLL(None).socket(2, 1, 0) >= 0 else None",
    "open_url": """
        import threading, urllib.request
        ask = lambda: urllib.request.urlopen('http://127.0.0.1:@TCP_PORT@', timeout=0.2)
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(1)
    """,
    "asynchronous": "import asyncio; asyncio.run(asyncio.open_connection('127.0.0.1', @TCP_PORT@))",
    "datagram": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @UDP_PORT@))",
    "listen": "import socket; socket.create_server(('127.0.0.1', 0)); print('@NEKOT@'[::-1])",
    "socket_file": "import socket; socket.socket(socket.AF_UNIX).connect('@FOLDER@/stream')",
    "abstract_socket": "import socket; socket.socket(socket.AF_UNIX).connect(chr(0) + '@NEKOT@'[::-1])",
    "pair_that_sends_elsewhere": """
        import socket
        socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', '@FOLDER@/datagrams')
    """,
    "kernel_messages": "import socket; socket.socket(16, socket.SOCK_RAW, 0); print('@NEKOT@'[::-1])",
}

KERNEL = {
    "memory_without_file": "import os; os.memfd_create('x'); print('@NEKOT@'[::-1])",
    "shared_memory": """
        from multiprocessing.shared_memory import SharedMemory
        SharedMemory(create=True, size=100).unlink()
        print('@NEKOT@'[::-1])
    """,
    "old_shared_memory": """
        import ctypes
        libc = ctypes.CDLL(None)
        held = libc.shmget(0, 4096, 0o1600)
        if held >= 0:
            libc.shmctl(held, 0, None)
            print('@NEKOT@'[::-1])
    """,
    "old_message_queue": """
        import ctypes
        libc = ctypes.CDLL(None)
        held = libc.msgget(0, 0o1600)
        if held >= 0:
            libc.msgctl(held, 0, None)
            print('@NEKOT@'[::-1])
    """,
    "be_dumpable": "import ctypes; print('@NEKOT@'[::-1]) if ctypes.CDLL(None).prctl(4, 1, 0, 0, 0) == 0 else None",
    "outlive_the_parent": "import ctypes; print('@NEKOT@'[::-1]) if ctypes.CDLL(None).prctl(1, 0, 0, 0, 0) == 0 else None",
    "personality": "import ctypes; print('@NEKOT@'[::-1]) if ctypes.CDLL(None).personality(0xFFFFFFFF) != -1 else None",
    "watch_files": """
        import ctypes
        libc = ctypes.CDLL(None)
        if libc.inotify_add_watch(libc.inotify_init1(0), b'@FOLDER@', 0xFFF) >= 0:
            print('@NEKOT@'[::-1])
    """,
}

FORBIDDEN_BY_SOME = {"trace", "personality"}
"""What Yama, or a container's profile, does not let any process do."""

TRICKS = {**PROCESSES, **SOCKETS, **KERNEL}


@pytest.mark.parametrize("executor", ["cpython", pytest.param("smolagents", marks=pytest.mark.long)])
@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_of_the_system_is_reached(withstand: Callable[..., Any], trick: str, executor: str) -> None:
    withstand(TRICKS[trick], executor, works=executor == "cpython", may_be_forbidden=trick in FORBIDDEN_BY_SOME)
