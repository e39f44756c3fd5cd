"""`python -m openenv.sessions.processes fork-server|child …`: the processes that a server starts; not for people."""

import sys

from . import child, fork_server

if __name__ == "__main__":
    role, channel = sys.argv[1:]
    {"fork-server": fork_server.main, "child": child.main}[role](channel)
