"""What workflows make a matrix of is what stands in the folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from scripting import ROOT, last_line, program, script, small_checkout


def test_the_matrix_is_the_folders() -> None:
    done = script("matrix")
    assert done.returncode == 0, done.stderr
    folders = sorted(path.parent.name for path in (ROOT / "envs").glob("*/pyproject.toml"))
    found = json.loads(done.stdout)
    assert (found["environments"], found["packages"]) == (folders, ["core", *folders])
    assert found["images"] == [name for name in folders if (ROOT / "envs" / name / "Dockerfile").is_file()]


def test_a_folder_more_is_in_it_and_each_list_holds_what_it_can(tmp_path: Path) -> None:
    checkout = small_checkout(tmp_path / "checkout", "echo")
    for name in ("another", "bare"):
        shutil.copytree(checkout / "envs" / "echo", checkout / "envs" / name)
    (checkout / "envs" / "another" / "openenv.yaml").unlink()
    (checkout / "envs" / "bare" / "Dockerfile").unlink()
    (checkout / "envs" / "notes").mkdir()
    outputs = tmp_path / "outputs"
    done = program("matrix", checkout, variables={"GITHUB_OUTPUT": str(outputs)})
    assert json.loads(done.stdout) == {
        "packages": ["core", "another", "bare", "echo"],
        "environments": ["another", "bare", "echo"],
        "images": ["another", "echo"],
        "spaces": ["echo"],
    }
    told = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    assert json.loads(told["images"]) == ["another", "echo"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    checkout = small_checkout(tmp_path, "echo")
    (checkout / "envs" / "echo" / "pyproject.toml").write_text("[project\n")
    done = program("matrix", checkout)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot read" in last_line(done)
    assert "envs/echo/pyproject.toml" in last_line(done)
