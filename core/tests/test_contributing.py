"""The steps of CONTRIBUTING.md lead to a new environment."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from containers import ROOT


@pytest.mark.timeout(500)
@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git command")
def test_the_steps_of_the_document_are_done_as_they_are_written() -> None:
    done = subprocess.run([ROOT / "scripts" / "contributing"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The steps of CONTRIBUTING.md took" in done.stdout
