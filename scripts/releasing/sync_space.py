"""Makes environments' Spaces the same as their folders."""

from __future__ import annotations

import argparse
from pathlib import Path

from openenv.errors import OpenEnvError, UsageError
from openenv.hub.environment_folder import environment_folder
from openenv.hub.publication import Publication
from openenv.hub.publishing import SpacePush
from openenv.hub.space_folder import space_folder

from .packages import CORE, package
from .refusal import Failure, Refusal, run, variable

EVERY_OTHER_FILE = ("*",)


def space_push(root: Path, name: str, owner: str, base_image: str | None = None) -> SpacePush:
    """Return what makes a Space the same as its folder.

    Args:
        root: the checkout.
        name: a folder below `envs`.
        owner: a user or an organisation of the Hub.
        base_image: what the Space is built on; None leaves that to the Dockerfile.

    Raises:
        Refusal: there is no such environment, or it is none that can be a Space.
    """
    wanted = package(root, name)
    if wanted.name == CORE:
        raise Refusal("core is no environment: choose a folder under envs")
    try:
        own = environment_folder(wanted.folder)
        message = f"Sync with {wanted.distribution} {wanted.version}"
        publication = Publication(f"{owner}/{own.repo_name}", delete=EVERY_OTHER_FILE, variables=own.variables, message=message)
        return SpacePush(space_folder(own, base_image=base_image), publication)
    except UsageError as error:
        raise Refusal(error.message) from None


def main() -> None:
    """Sync one Space."""
    parser = argparse.ArgumentParser(prog="sync-space", description="Make an environment's Space the same as its folder.")
    parser.add_argument("name", help="a folder below envs")
    parser.add_argument("--base-image", metavar="IMAGE", help="what the Space is built on, instead of what the Dockerfile says")
    parser.add_argument("--dry-run", action="store_true", help="list each call, and call nothing")
    given, owner = parser.parse_args(), variable("SPACE_OWNER", "the user or the organisation of the Hub whose Space it is")
    push = space_push(Path.cwd(), given.name, owner, given.base_image)
    if given.dry_run:
        for call in push.calls():
            print(f"would call: {call.told}")
        return
    try:
        done = push.run(begins=lambda told: print(told, flush=True))
    except OpenEnvError as error:
        raise Failure(error.message) from None
    print(f"{given.name} is at {done.url}")


if __name__ == "__main__":
    run("sync-space", main)
