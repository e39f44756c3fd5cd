"""Run by the published package's python, with a `docker` command on the path that prints what it is told.

`python start_containers.py OPTION ...` prints as JSON the parameters of `start_container`, and the commands that it runs: first
with a port and a variable alone, then with every option beside them.
"""

import inspect
import json
import os
import re
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from openenv.core.containers.runtime.providers import LocalDockerProvider  # noqa: E402

LOG = Path(os.environ["DOCKER_LOG"])


def told(**options):
    LOG.write_text("")
    LocalDockerProvider().start_container("img:1", port=8123, env_vars={"A": "1"}, **options)
    (line,) = (line for line in LOG.read_text().splitlines() if line.startswith("run "))
    return re.sub(r"--name \S+", "", line)


parameters = inspect.signature(LocalDockerProvider.start_container).parameters.values()
print(
    json.dumps(
        {
            "named": [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD],
            "commands": [told(), told(**dict.fromkeys(sys.argv[1:], "zz9"))],
        }
    )
)
