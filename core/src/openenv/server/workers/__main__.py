"""`python -m openenv.server.workers TERMS END END END`: be a worker process of a server."""

from __future__ import annotations

import json
import sys

from .worker import live

if __name__ == "__main__":
    terms = json.loads(sys.argv[1])
    sys.path[:] = terms["path"]
    sys.exit(live(terms["app"], terms, [int(end) for end in sys.argv[2:]]))
