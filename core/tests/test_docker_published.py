"""Options of the published `LocalDockerProvider.start_container`, looked up where it runs."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import published_package
import pytest

from openenv.errors import LaunchError
from openenv.launch.docker import DockerOptions, LocalDockerProvider

DOCKER = """#!/bin/sh
echo "$@" >> "$DOCKER_LOG"
if [ "$1" = run ]; then echo 0123abcd; fi
"""
OTHERS = ["mem_limit", "memory", "gpus", "platform", "privileged", "shm_size", "entrypoint", "labels", "ports"]
"""What somebody may try who knows Docker and not this package."""


@pytest.mark.interop
@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="stands a shell script in for the docker command")
@pytest.mark.timeout(600)
def test_all_that_the_published_one_heeds_is_taken_and_the_rest_refused(tmp_path: Path) -> None:
    version = next(iter(published_package.DISTRIBUTIONS))
    published_package.needed(version)
    command = tmp_path / "docker"
    command.write_text(DOCKER)
    command.chmod(0o755)
    options = [option.name for option in fields(DockerOptions)] + OTHERS
    done = subprocess.run(
        published_package.command(version, "start_containers.py", *options),
        capture_output=True,
        text=True,
        check=True,
        env={
            **published_package.VARIABLES,
            "PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]]),
            "DOCKER_LOG": str(tmp_path / "log"),
        },
    )
    told = json.loads(done.stdout)
    ours = [name for name, parameter in inspect.signature(LocalDockerProvider.start_container).parameters.items()]
    assert told["named"] == ours[: len(told["named"])] == ["self", "image", "port", "env_vars"]
    plain, with_options = told["commands"]
    assert "8123:8000" in plain
    assert "A=1" in plain
    assert with_options == plain, "an option beside these has an effect there"
    for name in OTHERS:
        unknown: dict[str, Any] = {name: "zz9"}
        with pytest.raises(LaunchError, match=f"a container takes no {name}: it takes address, "):
            LocalDockerProvider().start_container("img:1", **unknown)
