"""The coding environment's escape suite, run inside a container of its image that is locked up as the provider does it."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from containers import ROOT, build, built

from openenv.launch.docker import DockerOptions

pytestmark = pytest.mark.docker
IMAGE = "openenv-test-coding:latest"
LINES = """
FROM coding-env:latest
USER root
RUN pip install --no-cache-dir pytest
COPY conftest.py pytest.ini test_coding_escapes_files.py test_coding_escapes_language.py test_coding_escapes_system.py /suite/
COPY test_coding_limits.py /suite/
USER 1000
"""
FEW = "cpython and (open or environment or subclasses or fork_bomb or kill or connect or new_file or shared_memory)"
ALL = "not replace"
"""But for the trick that moves a file to where, in a container, another file system is: that fails without walls too."""


@pytest.fixture(scope="module")
def image(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    built("coding")
    settings = tmp_path_factory.mktemp("settings") / "pytest.ini"
    settings.write_text("[pytest]\nfilterwarnings = error\nmarkers =\n  long: takes minutes\n")
    suite = ROOT / "envs/coding/tests"
    files = ("conftest.py", *(path.name for path in suite.glob("test_coding_escapes_*.py")), "test_coding_limits.py")
    build(engine, IMAGE, LINES, settings, *(suite / name for name in files))
    return IMAGE


@pytest.mark.parametrize(
    "chosen", [FEW, pytest.param(ALL, marks=[pytest.mark.long, pytest.mark.timeout(900)])], ids=["few", "all"]
)
def test_its_attacks_fail_in_a_container_too(engine: Any, image: str, chosen: str) -> None:
    limits = DockerOptions().limits({}, os.cpu_count() or 1)
    limits["tmpfs"]["/var/tmp"] = "rw,nosuid,nodev,mode=1777,size=64m"
    command = ["python3", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rfEs", "-m", "not long", "-k", chosen, "/suite"]
    host_config = engine.api.create_host_config(network_mode="none", **limits)
    variables = {"PYTHONDONTWRITEBYTECODE": "1"}
    container = engine.api.create_container(image, command, host_config=host_config, environment=variables)
    try:
        engine.api.start(container)
        code = engine.api.wait(container)["StatusCode"]
        told = engine.api.logs(container).decode()
    finally:
        engine.api.remove_container(container, force=True, v=True)
    assert code == 0, told[-6000:]
    assert int(re.findall(r"(\d+) passed", told)[-1]) >= 10
