"""The walls themselves: their tables, and what is left of them on systems that give less."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coding_env.server.cell import seccomp, syscalls

HEADERS = [
    ("x86_64", Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), r"#define __NR_(\w+)\s+(\d+)"),
    ("aarch64", Path("/usr/include/asm-generic/unistd.h"), r"#define __NR(?:3264)?_(\w+)\s+(\d+)"),
]
OTHER_NAMES = {"newfstatat": "fstatat", "fadvise64": "fadvise64"}


@pytest.mark.parametrize(("architecture", "header", "pattern"), HEADERS, ids=["x86_64", "aarch64"])
def test_system_calls_have_the_kernels_numbers(architecture: str, header: Path, pattern: str) -> None:
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    known: dict[str, set[int]] = {}
    for name, number in re.findall(pattern, header.read_text()):
        known.setdefault(name, set()).add(int(number))
    for table in (syscalls.SETUP, syscalls.CONDITIONAL, *syscalls.ALLOWED):
        for name, number in syscalls.numbers(table, architecture).items():
            assert number in known.get(name, set()) | known.get(OTHER_NAMES.get(name, name), set()), name


DANGEROUS = """
    execve execveat fork vfork ptrace process_vm_readv process_vm_writev socket connect bind listen accept accept4 mount umount2
    unshare setns chroot pivot_root bpf io_uring_setup memfd_create shmget msgget semget mq_open keyctl perf_event_open
    userfaultfd chmod fchmod fchmodat chown fchown utimensat setxattr setrlimit pidfd_open pidfd_send_signal tkill
    rt_sigqueueinfo flock sendmsg vmsplice timer_create
    sched_setaffinity setpriority open_by_handle_at inotify_add_watch kcmp init_module reboot
"""


def test_no_dangerous_call_is_allowed() -> None:
    allowed = {name for table in syscalls.ALLOWED for name in syscalls.numbers(table, "x86_64")}
    assert not allowed & set(DANGEROUS.split())


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_lands_inside(architecture: str) -> None:
    program = seccomp.program(architecture, 7)
    for place, (_, if_true, if_false, _) in enumerate(program):
        assert 0 <= if_true < 256
        assert place + 1 + max(if_true, if_false) < len(program) or program[place][0] == seccomp.RETURN
    assert program[-1][0] == seccomp.RETURN
    assert len(program) < 4096


def run(code: str, refused: list[str], **variables: str) -> Any:
    """Run code in a process to which the kernel refuses some system calls, as a container's profile does."""
    shield = """
        import ctypes, json, struct, sys
        from coding_env.server.cell import kernel
        def refuse(*numbers):
            filtered = [(0x20, 0, 0, 0)]
            for number in numbers:
                filtered += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050001)]
            filtered.append((0x06, 0, 0, 0x7FFF0000))
            code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in filtered))
            described = struct.pack("@HP", len(filtered), ctypes.addressof(code))
            kernel.prctl(38, 1)
            kernel.prctl(22, 2, ctypes.addressof(held := ctypes.create_string_buffer(described)))
    """
    numbers = {
        "x86_64": {"unshare": 272, "mount": 165, "landlock": 444, "seccomp": 317, "setresuid": 117},
        "aarch64": {"unshare": 97, "mount": 40, "landlock": 444, "seccomp": 277, "setresuid": 147},
    }[platform.machine()]
    program = textwrap.dedent(shield) + f"refuse(*{[numbers[name] for name in refused]})\n" + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env={**os.environ, **variables}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


PLAY = """
    import tempfile
    from pathlib import Path
    from coding_env import CodeAction
    from coding_env.server.environment import CodingEnvironment
    folders = tempfile.mkdtemp(dir="/var/tmp")
    secret = Path(tempfile.mkdtemp(dir="/var/tmp")) / "secret"
    secret.write_text("told")
    environment = CodingEnvironment(executor="cpython", folders=folders, wall_time_s=5.0, disk_mb=4)
    seen = [environment.reset().metadata["protection"]]
    for code in (
        f"print(open('{secret}').read())",
        "import socket; socket.socket()",
        "import os; os.fork(); print('forked')",
        "import os; os.mkdir('deep'); open('deep/file', 'w').write('x'); print(len(os.listdir('.')))",
        "import time\\nfor n in range(60):\\n    open(f'f{n}', 'wb').write(b'x' * 2**20); time.sleep(0.02)\\nprint('full')",
        "print(6 * 7)",
    ):
        step = environment.step(CodeAction(code=code))
        seen.append([step.exit_code, step.stdout, step.stderr, step.metadata])
    environment.close()
    seen.append([path.name for path in Path(folders).iterdir()])
    Path(folders).rmdir()
    secret.unlink()
    secret.parent.rmdir()
    print(json.dumps(seen))
"""


def test_a_container_without_namespaces_keeps_its_walls() -> None:
    protection, read, connect, fork, write, fill, last, left = run(PLAY, ["unshare", "mount"])
    assert "namespaces" not in protection["enforced"]
    assert any(missing.startswith("namespaces") for missing in protection["missing"])
    assert any(missing.startswith("disk") for missing in protection["missing"])
    assert {"files", "system_calls"} <= protection["enforced"].keys()
    for refused in (read, connect, fork):
        assert refused[0] == 1
        assert "PermissionError" in refused[2]
    assert write[:2] == [0, "1\n"]
    assert (fill[0], fill[3]["limit"]) == (124, "disk")
    assert last[:2] == [0, "42\n"]
    assert left == []


HIDDEN_FILES = {
    "open": "import tempfile\nheld = [tempfile.TemporaryFile() for _ in range(8)]\nfor f in held: f.write(MIB); f.flush()",
    "mapped": """
import ctypes, os
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
for n in range(8):
    fd = os.open('x', os.O_CREAT | os.O_RDWR)
    os.write(fd, MIB)
    libc.mmap(None, 4096, 3, 1, fd, 0)
    os.close(fd)
    os.remove('x')
""",
    "in a folder that cannot be listed": """
import os
os.mkdir('d', 0o300)
for n in range(8):
    open(f'd/{n}', 'wb').write(MIB)
""",
    "beyond the longest path": """
import os
for _ in range(2500):
    os.mkdir('d'); os.chdir('d')
for n in range(8):
    open(f'{n}', 'wb').write(MIB)
""",
    "of a thread": """
import ctypes, tempfile, threading
held = []
def fill():
    for n in range(8):
        held.append(tempfile.TemporaryFile()); held[-1].write(MIB); held[-1].flush()
    threading.Event().wait()
threading.Thread(target=fill).start()
ctypes.CDLL(None).syscall({'x86_64': 60, 'aarch64': 93}[__import__('platform').machine()], 0)
""",
}


@pytest.mark.parametrize("trick", HIDDEN_FILES)
def test_no_file_is_hidden_from_the_measure_of_a_folder(trick: str) -> None:
    code = f"""
        import tempfile
        from coding_env import CodeAction
        from coding_env.server.environment import CodingEnvironment
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folders:
            environment = CodingEnvironment(executor="cpython", folders=folders, disk_mb=4)
            protection = environment.reset().metadata["protection"]
            fair = "import mmap, tempfile; f = tempfile.TemporaryFile(); f.write(b'x' * 4096); f.flush()"
            fair += "; m = mmap.mmap(f.fileno(), 100); f.close(); s = mmap.mmap(-1, 100)"
            codes = (fair, "MIB = b'x' * 2**20\\n" + {HIDDEN_FILES[trick]!r})
            seen = [environment.step(CodeAction(code=each)) for each in codes]
            environment.close()
        print(json.dumps([protection, *[[step.exit_code, step.metadata.get("limit"), step.stderr] for step in seen]]))
    """
    protection, fair, hidden = run(code, ["unshare", "mount"])
    assert not any("deleted" in missing for missing in protection["missing"])
    assert fair == [0, None, ""]
    assert hidden[:2] == [124, "disk"], hidden


def test_a_kernel_without_landlock_is_told_of() -> None:
    protection, _, connect, fork, _, _, last, left = run(PLAY, ["landlock"])
    assert any(missing.startswith("files: the kernel has no Landlock") for missing in protection["missing"])
    assert "files" not in protection["enforced"]
    assert (connect[0], fork[0], last[1], left) == (1, 1, "42\n", [])


def test_descendants_end_with_the_interpreter_where_no_filter_forbids_them() -> None:
    code = """
        import os, time
        from pathlib import Path
        from coding_env import CodeAction
        from coding_env.server.environment import CodingEnvironment
        def beneath(pid):
            tasks = Path(f"/proc/{pid}/task").iterdir()
            children = {int(child) for task in tasks for child in (task / "children").read_text().split()}
            return children.union(*(beneath(child) for child in children))
        environment = CodingEnvironment(executor="cpython", threads=50)
        first = beneath(os.getpid())
        missing = environment.reset().metadata["protection"]["missing"]
        step = environment.step(CodeAction(code='''
        import os, sys
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while True:
                        pass
                os._exit(0)
            os.wait()
        print('started')
        '''))
        started = beneath(os.getpid()) - first
        environment.close()
        for _ in range(500):
            left = [pid for pid in started if Path(f"/proc/{pid}").exists()]
            if not left:
                break
            time.sleep(0.01)
        print(json.dumps([missing, step.stdout + step.stderr, len(started), left]))
    """
    missing, told, started, left = run(code, ["seccomp"])
    assert any(each.startswith("processes, network") for each in missing)
    assert (told, left) == ("started\n", [])
    assert started == len(("keeper", "interpreter", "daemon", "daemon", "daemon"))


def test_full_protection_does_not_run_without_its_walls() -> None:
    code = """
        from coding_env.server.environment import CodingEnvironment
        environment = CodingEnvironment(executor="cpython")
        try:
            environment.reset()
        except RuntimeError as error:
            print(json.dumps(str(error)))
    """
    assert "protection is 'full', and this system lacks some: files:" in run(code, ["landlock"], CODING_PROTECTION="full")


def test_no_process_outlives_a_server_that_is_killed() -> None:
    code = """
        import sys, threading, time
        from coding_env import CodeAction
        from coding_env.server.environment import CodingEnvironment
        environment = CodingEnvironment(executor="cpython", folders=sys.argv[1])
        environment.reset()
        environment.step(CodeAction(code="open('kept', 'w').close()"))
        print("ready", flush=True)
        environment.step(CodeAction(code="while True: pass"))
    """
    own_processes: Callable[[int], set[int]] = _descendants
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), "/var/tmp"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        started = own_processes(process.pid)
        assert len(started) >= 3
        process.kill()
        process.wait()
    for _ in range(500):
        if not any(Path(f"/proc/{pid}").exists() for pid in started):
            return
        subprocess.run(["sleep", "0.01"], check=True)
    raise AssertionError("processes are left")


def _descendants(pid: int) -> set[int]:
    found = {int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()}
    return found.union(*(_descendants(child) for child in found))
