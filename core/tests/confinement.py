"""What a program inside a container finds that it may do."""

from __future__ import annotations

LOOK = """
import os, pathlib, subprocess
status = dict(line.split(":\\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(os.getuid(), status["CapEff"], status["CapBnd"])
for place in ("/app/x", "/home/openenv/x", "/tmp/x"):
    try:
        pathlib.Path(place).write_text("x")
        print("wrote", place)
    except OSError as error:
        print(error.strerror, place)
pathlib.Path("/tmp/program").write_text("#!/bin/sh")
os.chmod("/tmp/program", 0o755)
try:
    subprocess.run(["/tmp/program"])
except OSError as error:
    print(error.strerror)
print("no new privileges:", status["NoNewPrivs"])
"""
"""A program that tries."""

LOCKED = [
    "1000 0000000000000000 0000000000000000",
    "Read-only file system /app/x",
    "Read-only file system /home/openenv/x",
    "wrote /tmp/x",
    "Permission denied",
]
"""What it prints first where everything is locked."""
