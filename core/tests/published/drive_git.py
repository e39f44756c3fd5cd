"""Run by the published package's python, and by this project's: works on a repository and prints as JSON what it saw.

Arguments: the server's URL, its user, the password, an empty folder.
"""

import json
import sys
from pathlib import Path

from openenv.core.tools import GitServerClient

url, user, password, folder = sys.argv[1:]
seen = []


def see(call):
    try:
        seen.append(call())
    except RuntimeError:
        seen.append("refused")


client = GitServerClient(f"{url}/", user, password, f"{folder}/work")
copy = Path(folder, "work", "demo")
see(lambda: client.list_repositories())
see(lambda: client.clone_to_workspace("demo"))
see(lambda: client.wait_for_ready(10))
see(lambda: GitServerClient("http://127.0.0.1:9", user, password, folder).wait_for_ready(1))
see(lambda: [client.workspace_exists("demo"), client.clone_to_workspace("demo") == str(copy), client.workspace_exists("demo")])
see(lambda: client.get_current_commit("demo"))
see(lambda: client.get_current_commit("nothing"))
see(lambda: client.execute_git_command("log -1 --format='%s, %an'", "demo"))
see(lambda: client.execute_git_command("nonsense", "demo")[0])
see(lambda: client.execute_git_command("status", "nothing")[0])
see(lambda: client.execute_git_command("fetch", "demo")[0])
(copy / "file.txt").write_text("changed")
(copy / ".gitignore").write_text("left")
(copy / "left").write_text("left")
see(lambda: [client.reset_workspace("demo"), sorted(path.name for path in copy.iterdir()), (copy / "file.txt").read_text()])
see(lambda: [client.reset_workspace("demo", "HEAD~1"), client.get_current_commit("demo")])
see(lambda: [client.reset_workspace("demo", "dev"), client.get_current_commit("demo")])
see(lambda: client.execute_git_command("branch --show-current", "demo")[1])
see(lambda: [client.reset_workspace("demo", "main"), client.get_current_commit("demo")])
see(lambda: client.reset_workspace("demo", "nothing"))
see(lambda: client.reset_workspace("nothing"))
(copy / "left").write_text("left")
see(lambda: [client.clone_to_workspace("demo", commit="dev") == str(copy), (copy / "left").exists()])
see(lambda: client.clone_to_workspace("demo", "second", "HEAD~1") == str(copy.parent / "second"))
see(lambda: client.get_current_commit("second"))
see(lambda: client.clone_to_workspace("demo", "third", "nothing"))
see(lambda: client.clone_to_workspace("nothing"))
see(lambda: password in (copy / ".git" / "config").read_text())
print(json.dumps(seen))
