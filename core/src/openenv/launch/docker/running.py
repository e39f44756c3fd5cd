"""One running container."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
import threading
import weakref
from collections import deque
from collections.abc import Mapping
from typing import Any

from ...errors import LaunchError
from . import engine, owner
from .lease import VARIABLE, Lease
from .options import DockerOptions

KEPT_LINES = 40
STANDARD_PORT = 8000
LAST_WORDS_WITHIN_S = 5.0
KILLED = 137
"""The exit code of what SIGKILL ended, as the kernel does for want of memory."""


class Running:
    """A container from its making to its removal; nothing of it is left once `stop` returns, or this process ends properly.

    Args:
        client: of the engine; is closed with the container.
        image: names the image.
        options: how it is run.

    Attributes:
        lines: the last lines that it printed.
    """

    def __init__(self, client: Any, image: str, options: DockerOptions) -> None:
        self.image = image
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._client = client
        self._options = options
        self._name = f"openenv-{re.sub(r'[^a-zA-Z0-9]+', '-', image.rpartition('/')[2])}-{secrets.token_hex(6)}"
        self._network = None if options.egress else self._name
        self._ended = threading.Event()
        self._codes: list[int] = []
        self._lease: Lease | None = None
        self._reading: threading.Thread | None = None
        self._finalizer = weakref.finalize(self, _forget, client, self._name, self._network, os.getpid())

    def start(self, port: int | None, env_vars: Mapping[str, str]) -> str:
        """Run it and return the URL of its server, which need not answer yet. Raises `LaunchError`."""
        options = self._options
        inside = self._create(port, env_vars)
        with engine.told(f"cannot run {self.image}"):
            output = self._client.api.attach_socket(self._name, {"stdout": 1, "stderr": 1, "stream": 1, "logs": 1})
        self._reading = _thread("openenv-container-output", _read, output, self.lines)
        _thread("openenv-container-end", _wait, self._client, self._name, self._codes, self._ended)
        hint = "" if port is None else f" on port {port}; choose another port where that is taken"
        with engine.told(f"cannot run {self.image}{hint}"):
            self._client.api.start(self._name)
        url = self._url(inside)
        if options.lease_s is not None:
            self._lease = Lease(url, options.lease_s)
        return url

    def _create(self, port: int | None, env_vars: Mapping[str, str]) -> int:
        """Make the container; return the server's port in it."""
        options, client = self._options, self._client
        image = engine.image(client, self.image)
        inside = options.container_port or exposed(image) or STANDARD_PORT
        given = dict(env_vars)
        if options.lease_s is not None:
            given.setdefault(VARIABLE, f"{options.lease_s:g}")
        arguments: dict[str, Any] = {"auto_remove": True}
        arguments |= options.limits(given, client.info().get("NCPU") or os.cpu_count() or 1)
        with engine.told(f"cannot make a container of {self.image}"):
            if self._network is not None:
                client.api.create_network(self._network, driver="bridge", internal=True, labels=owner.labels())
            else:
                arguments["port_bindings"] = {inside: (options.address, port)}
            network = self._network or options.network
            if network is not None:
                arguments["network_mode"] = network
            client.api.create_container(
                image.id,
                command=options.command,
                name=self._name,
                user=options.user,
                environment=given,
                labels=owner.labels(),
                ports=[inside],
                host_config=client.api.create_host_config(**arguments),
            )
        return inside

    def _url(self, inside: int) -> str:
        from docker.errors import NotFound

        found: dict[str, Any] = {}
        with engine.told(f"cannot ask after {self.image}"), contextlib.suppress(NotFound):
            found = self._client.api.inspect_container(self._name)["NetworkSettings"]
        if self._network is not None:
            address = found.get("Networks", {}).get(self._network, {}).get("IPAddress")
            if address:
                return f"http://{address}:{inside}"
        published = (found.get("Ports") or {}).get(f"{inside}/tcp")
        if published:
            return f"http://{self._options.address}:{published[0]['HostPort']}"
        raise self.failure(f"{self.image} opened no port")

    def running(self) -> bool:
        """Return whether it has not ended."""
        return not self._ended.is_set()

    def failure(self, what: str) -> LaunchError:
        """Return the error that says what went wrong, with the exit code and the last lines of output."""
        if self._ended.wait(0.5):
            if self._reading is not None:
                self._reading.join(LAST_WORDS_WITHIN_S)
            what = f"{self.image} ended {f'with code {self._codes[0]} ' if self._codes else ''}before it answered"
            if self._codes == [KILLED]:
                what += f" (killed: has it enough memory? memory_mb is {self._options.memory_mb})"
        output = "\n  ".join(self.lines) if self.lines else "(it printed nothing)"
        return LaunchError(f"{what}; its last output:\n  {output}")

    def stop(self) -> None:
        """Stop it and remove all that was made for it. Twice does no harm."""
        if not self._finalizer.detach():
            return
        if self._lease is not None:
            self._lease.end()
        from docker.errors import APIError

        try:
            if self.running():
                with (
                    engine.told(f"cannot stop {self.image}"),
                    contextlib.suppress(APIError),
                ):  # it has ended meanwhile, or was never started
                    self._client.api.stop(self._name, timeout=round(self._options.stop_timeout_s))
        finally:
            with engine.told(f"cannot remove the container {self._name} of {self.image}"):
                _remove(self._client, self._name, self._network)


def check_egress(options: DockerOptions, port: int | None) -> None:
    """Raise `LaunchError` where a container cannot be cut off from other machines and let its client in."""
    if options.egress:
        return
    if not sys.platform.startswith("linux"):
        raise LaunchError("egress=False needs Linux: elsewhere this machine cannot reach a container's own address")
    if port is not None:
        raise LaunchError(f"egress=False opens no port of this machine, so port={port} cannot be had: leave it out")


def exposed(image: Any) -> int | None:
    """Return the one TCP port that an image exposes, or None."""
    exposed = [name.partition("/") for name in (image.attrs.get("Config") or {}).get("ExposedPorts") or {}]
    ports = [int(number) for number, _, kind in exposed if kind in ("", "tcp")]
    return ports[0] if len(ports) == 1 else None


def _wait(client: Any, name: str, codes: list[int], ended: threading.Event) -> None:
    """Wait until a container ends, for its exit code."""
    with contextlib.suppress(Exception):  # it is gone, or the engine is; either way it has ended for us
        codes.append(client.api.wait(name, condition="next-exit")["StatusCode"])
    ended.set()


def _read(output: Any, lines: deque[str]) -> None:
    """Keep the last lines that come through a socket of the engine's, and close it once it ends."""
    from docker.utils.socket import frames_iter

    owner_of_connection = getattr(output, "_response", output)  # the SDK puts the response there
    rest = b""
    with contextlib.closing(owner_of_connection), contextlib.suppress(Exception):  # the engine has gone
        for _, chunk in frames_iter(output, tty=False):
            *whole, rest = (rest + chunk).split(b"\n")
            lines.extend(line.decode(errors="replace").rstrip() for line in whole)
    if rest:
        lines.append(rest.decode(errors="replace").rstrip())


def _forget(client: Any, name: str, network: str | None, process: int) -> None:
    """Remove what nobody holds any more, unless this is a fork of the process that made it."""
    if process == os.getpid():
        with engine.logged(f"the container {name} is left behind"):
            _remove(client, name, network)


def _remove(client: Any, name: str, network: str | None) -> None:
    """Remove a container and its network."""
    try:
        engine.remove(client, name)
        if network is not None:
            engine.remove_network(client, network)
    finally:
        client.close()


def _thread(name: str, target: Any, *args: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread
