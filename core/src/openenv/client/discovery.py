"""What the installed environments' packages offer to a client."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..contract.generics import models
from ..errors import UsageError
from ..hub.installed import InstalledEnvironment, installed_environment, installed_environments, plain_name
from .base import EnvClient


@dataclass(frozen=True)
class EnvironmentInfo:
    """An installed environment. Its classes are looked up when first asked for, which imports its package.

    Attributes:
        installed: what its distribution says of it.
    """

    installed: InstalledEnvironment

    @property
    def env_key(self) -> str:
        """Its short name, `echo`."""
        return self.installed.name

    @property
    def client_class(self) -> type[EnvClient[Any, Any, Any]]:
        """Its client. Raises `UsageError` where the package cannot be imported or does not show which class it is."""
        found = list(_clients(self.installed))
        expected = f"{plain_name(self.env_key)}env".replace("-", "")
        named = [cls for cls in found if cls.__name__.lower() == expected] or found
        if len(named) != 1:
            what = f"several clients ({', '.join(cls.__name__ for cls in found)})" if found else "no subclass of EnvClient"
            raise UsageError(f"{self.installed.package} of {self.installed.distribution} offers {what}, and one is wanted")
        return named[0]

    @property
    def action_class(self) -> type | None:
        """What `step` takes; None where the client does not say. Raises as `client_class` does."""
        return models(self.client_class, EnvClient)[0]

    @property
    def observation_class(self) -> type | None:
        """What `reset` and `step` return; None where the client does not say. Raises as `client_class` does."""
        return models(self.client_class, EnvClient)[1]

    def described(self) -> dict[str, Any]:
        """Return all of it as plain values: names of classes, None where there is none. Raises as `client_class` does."""
        client, one = self.client_class, self.installed
        action, observation, state = (None if cls is None else cls.__name__ for cls in models(client, EnvClient))
        return {
            "env_key": one.name,
            "name": one.package,
            "package": one.distribution,
            "version": one.version,
            "description": one.description,
            "env_class": client.__name__,
            "action_class": action,
            "observation_class": observation,
            "state_class": state,
            "module": client.__module__,
            "server": client.server,
            "default_image": f"{plain_name(one.name)}-env:latest",
        }


def _clients(installed: InstalledEnvironment) -> Iterator[type[EnvClient[Any, Any, Any]]]:
    """Yield the clients among a package's public names that it does not have from elsewhere."""
    try:
        package = importlib.import_module(installed.package)
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise UsageError(
            f"{installed.package} cannot be imported ({told}): pip install --force-reinstall {installed.distribution}"
        ) from error
    for name in getattr(package, "__all__", None) or vars(package):
        value = getattr(package, name, None)
        if not (isinstance(value, type) and issubclass(value, EnvClient)):
            continue
        if f"{value.__module__}.".startswith(f"{installed.package}."):
            yield value


class EnvironmentDiscovery:
    """The installed environments by name. Each call looks anew."""

    def discover(self, use_cache: bool = True) -> dict[str, EnvironmentInfo]:
        """Return all of them by their short names; there is no cache, so `use_cache` changes nothing."""
        return {one.name: EnvironmentInfo(one) for one in installed_environments()}

    def get_environment(self, env_key: str) -> EnvironmentInfo | None:
        """Return the one of exactly this short name, or None."""
        return self.discover().get(env_key)

    def get_environment_by_name(self, name: str) -> EnvironmentInfo | None:
        """Return the one that a name in any spelling means, or None. Raises `UsageError` where several may be meant."""
        wanted = plain_name(name)
        known = {plain_name(text) for one in installed_environments() for text in (one.name, one.distribution, one.package)}
        return EnvironmentInfo(installed_environment(name)) if wanted in known else None

    def list_environments(self) -> None:
        """Print their names, versions, distributions and descriptions."""
        everything = installed_environments()
        width = max((len(one.name) for one in everything), default=0)
        for one in everything:
            print(f"{one.name:{width}}  {one.version}  {one.distribution}  {one.description}".rstrip())
        if not everything:
            print("no environments are installed: pip install openenv-echo-env")


def get_discovery() -> EnvironmentDiscovery:
    """Return what finds the installed environments."""
    return EnvironmentDiscovery()
