"""`openenv list` in a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

METADATA = "Metadata-Version: 2.4\nName: openenv-maze-env\nVersion: 1.2.0\nSummary: A maze.\n"


def test_what_is_installed_is_listed(tmp_path: Path) -> None:
    folder = tmp_path / "openenv_maze_env-1.2.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA)
    (folder / "entry_points.txt").write_text("[openenv.environments]\nmaze = maze_env\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from openenv.cli.main import main; main()"
    for options in ([], ["--json"]):
        done = subprocess.run([sys.executable, "-c", program, "list", *options], capture_output=True, text=True, check=True)
        assert all(word in done.stdout for word in ("maze", "1.2.0", "openenv-maze-env", "A maze."))
    (maze,) = [one for one in json.loads(done.stdout) if one["name"] == "maze"]
    assert maze["package"] == "maze_env"
