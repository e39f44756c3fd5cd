"""Numbers of system calls, `x86_64/aarch64`, as in Linux's `unistd.h`; a dash where an architecture lacks one."""

from __future__ import annotations

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Place in the tables below, and what seccomp calls the architecture (`AUDIT_ARCH_*`)."""

SETUP = """
    seccomp 317/277, capset 126/91, landlock_create_ruleset 444/444, landlock_add_rule 445/445,
    landlock_restrict_self 446/446
"""
"""What the walls themselves are built with."""

CONDITIONAL = """
    clone 56/220, clone3 435/435, socketpair 53/199, kill 62/129, tgkill 234/131, prctl 157/167, prlimit64 302/261,
    ioctl 16/29, fcntl 72/25, close_range 436/436
"""
"""Calls whose arguments decide."""

FILES = """
    read 0/63, write 1/64, close 3/57, fstat 5/80, lseek 8/62, pread64 17/67, pwrite64 18/68, readv 19/65, writev 20/66,
    preadv 295/69, pwritev 296/70, preadv2 327/286, pwritev2 328/287, open 2/-, openat 257/56, openat2 437/437, creat 85/-,
    stat 4/-, lstat 6/-, newfstatat 262/79, statx 332/291, access 21/-, faccessat 269/48, faccessat2 439/439,
    truncate 76/45, ftruncate 77/46, fallocate 285/47, fadvise64 221/223, readahead 187/213, fsync 74/82, fdatasync 75/83,
    getdents 78/-, getdents64 217/61, getcwd 79/17, chdir 80/49, fchdir 81/50, rename 82/-, renameat 264/38,
    renameat2 316/276, mkdir 83/-, mkdirat 258/34, rmdir 84/-, unlink 87/-, unlinkat 263/35, link 86/-, linkat 265/37,
    symlink 88/-, symlinkat 266/36, readlink 89/-, readlinkat 267/78, umask 95/166, statfs 137/43, fstatfs 138/44,
    sendfile 40/71, copy_file_range 326/285, splice 275/76, tee 276/77, dup 32/23, dup2 33/-, dup3 292/24,
    pipe 22/-, pipe2 293/59
"""
"""Landlock decides which files. Changes of owner, mode, times and attributes are not here: Landlock does not see them."""

MEMORY = """
    mmap 9/222, mprotect 10/226, munmap 11/215, mremap 25/216, msync 26/227, mincore 27/232, madvise 28/233, brk 12/214,
    membarrier 324/283
"""

WAITING = """
    poll 7/-, ppoll 271/73, select 23/-, pselect6 270/72, epoll_create 213/-, epoll_create1 291/20, epoll_ctl 233/21,
    epoll_wait 232/-, epoll_pwait 281/22, epoll_pwait2 441/441, eventfd 284/-, eventfd2 290/19, signalfd4 289/74,
    timerfd_create 283/85, timerfd_settime 286/86, timerfd_gettime 287/87
"""

THREADS = """
    futex 202/98, futex_waitv 449/449, set_tid_address 218/96, set_robust_list 273/99, get_robust_list 274/100,
    rseq 334/293, arch_prctl 158/-, sched_yield 24/124, sched_getaffinity 204/123, sched_getparam 143/121,
    sched_getscheduler 145/120, sched_get_priority_max 146/125, sched_get_priority_min 147/126, getcpu 309/168, exit 60/93,
    exit_group 231/94, wait4 61/260, waitid 247/95, restart_syscall 219/128
"""

TIME = """
    nanosleep 35/101, clock_nanosleep 230/115, clock_gettime 228/113, clock_getres 229/114, gettimeofday 96/169, time 201/-,
    times 100/153, alarm 37/-, pause 34/-, getitimer 36/102, setitimer 38/103
"""
"""Not `timer_create`: its timers can send SIGCONT, and so wake an interpreter that is to stand still."""

SIGNALS = """
    rt_sigaction 13/134, rt_sigprocmask 14/135, rt_sigreturn 15/139, rt_sigpending 127/136, rt_sigtimedwait 128/137,
    rt_sigsuspend 130/133, sigaltstack 131/132
"""
"""Sending signals is conditional."""

ITSELF = """
    getpid 39/172, gettid 186/178, getppid 110/173, getpgrp 111/-, getpgid 121/155, getsid 124/156, getuid 102/174,
    geteuid 107/175, getgid 104/176, getegid 108/177, getgroups 115/158, getresuid 118/148, getresgid 120/150,
    capget 125/90, uname 63/160, sysinfo 99/179, getrusage 98/165, getrlimit 97/163, getrandom 318/278
"""

PAIRS = """
    shutdown 48/210, getsockname 51/204, getpeername 52/205, getsockopt 55/209, recvfrom 45/207, recvmsg 47/212,
    sendto 44/206
"""
"""On a pair of sockets of its own; there are no others. Not `sendmsg`: files that are under way in it are seen nowhere."""

ALLOWED = (FILES, MEMORY, WAITING, THREADS, TIME, SIGNALS, ITSELF, PAIRS)


def numbers(table: str, architecture: str) -> dict[str, int]:
    """Return the numbers of a table's calls that an architecture has. Raises `KeyError` for an unknown architecture."""
    place = ARCHITECTURES[architecture][0]
    entries = (entry.split() for entry in table.split(","))
    by_name = {name: both.split("/")[place] for name, both in entries}
    return {name: int(number) for name, number in by_name.items() if number != "-"}
