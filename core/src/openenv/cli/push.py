"""`openenv push`: publish an environment, as a Space of the Hub or as an image at a registry."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from ..hub.environment_folder import environment_folder
from ..hub.image_build import ImageBuild
from ..hub.image_name import image_at
from ..hub.publication import Publication
from ..hub.space_folder import space_folder
from . import push_options as options
from .assignments import assignments
from .push_image import push_image
from .push_spaces import push_spaces
from .static_findings import refuse_broken


def push(
    path: options.Folder = Path(),
    repo_id: options.RepoId = None,
    base_image: options.BaseImage = None,
    interface: options.Interface = None,
    registry: options.Registry = None,
    private: options.Private = False,
    create_pr: options.CreatePr = False,
    exclude: options.Exclude = None,
    delete: options.Delete = None,
    hardware: options.Hardware = None,
    count: options.Count = 1,
    env_var: options.EnvVar = None,
    secret: options.Secret = None,
    dry_run: options.DryRun = False,
) -> None:
    """Publish an environment: its folder as a Docker Space of the Hub, or with --registry its image.

    Files that hold secrets, such as .env, are never pushed.
    """
    of_a_space: dict[str, object] = {
        "--repo-id": repo_id,
        "--private": private,
        "--create-pr": create_pr,
        "--exclude": exclude,
        "--delete": delete,
    }
    of_a_space |= {"--hardware": hardware, "--count": count > 1, "--env-var": env_var, "--secret": secret}
    variables, secrets = assignments("--env-var", env_var or ()), assignments("--secret", secret or ())
    folder = environment_folder(path)
    refuse_broken(path)
    if registry is not None:
        _refuse_with_registry([name for name, value in of_a_space.items() if value])
        build = ImageBuild(folder, image_at(registry, folder.image), base_image=base_image, interface=interface)
        push_image(build, dry_run)
        return
    space = space_folder(folder, interface=interface, base_image=base_image, exclude=exclude)
    name = repo_id or folder.repo_name
    names = [name] if count == 1 else [f"{name}-{number}" for number in range(1, count + 1)]
    if not create_pr:
        variables = {**folder.variables, **variables}
    wanted = [Publication(one, private, create_pr, delete or (), hardware, variables, secrets) for one in names]
    push_spaces(space, wanted, dry_run)


def _refuse_with_registry(given: list[str]) -> None:
    if given:
        raise UsageError(f"{', '.join(given)}: that is of a Space, and --registry pushes an image: leave one of them out")
