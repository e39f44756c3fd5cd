"""One running container."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import threading
import weakref
from collections import deque
from collections.abc import Mapping
from typing import Any

from ...errors import LaunchError
from . import engine, owner
from .enclosure import NOTHING_RESOLVES, Enclosure, forwarder_name, is_forwarded
from .lease import VARIABLE, Lease
from .options import DockerOptions, sessions_of

KEPT_LINES, KEPT_OF_A_LINE_BYTES = 40, 4096
STANDARD_PORT = 8000
LAST_WORDS_WITHIN_S = 5.0
ENDS_AT_ONCE_S = 0.5
"""What has run for so long has not ended at once."""
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
        self._image_id = ""
        self._enclosure: Enclosure | None = None
        self._ended = threading.Event()
        self._codes: list[int] = []
        self._leases: list[Lease] = []
        self._reading: threading.Thread | None = None
        self._finalizer = weakref.finalize(self, _forget, client, self._name, not options.egress, self._leases, os.getpid())

    def start(self, port: int | None, env_vars: Mapping[str, str]) -> str:
        """Run it and return the URL of its server, which need not answer yet. Raises `LaunchError`."""
        options = self._options
        inside = self._create(port, env_vars)
        hint = "" if port is None else f" on port {port}; choose another port where that is taken"
        with engine.told(f"cannot run {self.image}{hint}"):  # Podman takes the port here
            output = self._client.api.attach_socket(self._name, {"stdout": 1, "stderr": 1, "stream": 1, "logs": 1})
        self._reading = _thread("openenv-container-output", _read, output, self.lines)
        _thread("openenv-container-end", _wait, self._client, self._name, self._codes, self._ended)
        with engine.told(f"cannot run {self.image}{hint}"):
            engine.whole(lambda: self._client.api.start(self._name))
        url = self._url(inside) if self._enclosure is None else self._enclosed_url(self._enclosure, inside, port)
        if options.lease_s is not None:
            self._leases.append(Lease(url, options.lease_s))
        if self._ended.wait(ENDS_AT_ONCE_S):
            raise self.failure(f"{self.image} ended at once")
        return url

    def _create(self, port: int | None, env_vars: Mapping[str, str]) -> int:
        """Make the container; return the server's port in it."""
        options, client = self._options, self._client
        info = client.info()
        forwarded = is_forwarded(options, port, info)
        image = engine.image(client, self.image, options.registry_login)
        self._image_id = image.id
        inside = options.container_port or exposed(image) or STANDARD_PORT
        given = dict(env_vars)
        if options.lease_s is not None:
            given.setdefault(VARIABLE, f"{options.lease_s:g}")
        arguments: dict[str, Any] = {"auto_remove": True, "log_config": engine.KEPT_OUTPUT}
        arguments |= options.limits(given, info.get("NCPU") or os.cpu_count() or 1)
        with engine.told(f"cannot make a container of {self.image}"):
            if options.egress:
                arguments["port_bindings"] = {inside: (options.address, port)}
                if options.network is not None:
                    arguments["network_mode"] = options.network
            else:
                self._enclosure = Enclosure(client, self._name, options, sessions_of(given), forwarded)
                engine.whole(self._enclosure.create)
                arguments |= {"network_mode": self._name, **NOTHING_RESOLVES}
            host_config = client.api.create_host_config(**arguments)
            engine.whole(
                lambda: client.api.create_container(
                    image.id,
                    command=options.command,
                    name=self._name,
                    user=options.user,
                    environment=given,
                    labels=owner.labels(),
                    ports=[inside],
                    host_config=host_config,
                )
            )
        return inside

    def _url(self, inside: int) -> str:
        """Return the URL of a port of this machine."""
        published = (self._found(self._name).get("Ports") or {}).get(f"{inside}/tcp")
        if not published:
            raise self.failure(f"{self.image} opened no port")
        return f"http://{_host(self._options.address)}:{published[0]['HostPort']}"

    def _enclosed_url(self, enclosure: Enclosure, inside: int, port: int | None) -> str:
        """Return the URL at which the client gets into the container's own network."""
        address = (self._found(self._name).get("Networks") or {}).get(self._name, {}).get("IPAddress")
        if not address:
            raise self.failure(f"{self.image} has no address")
        if not enclosure.forwarded:
            return f"http://{address}:{inside}"
        hint = "" if port is None else f" on port {port}; choose another port where that is taken"
        with engine.told(f"cannot run the forwarder of {self.image}{hint}"):
            engine.whole(lambda: enclosure.start_forwarder(self._image_id, address, inside, port))
        published = (self._found(forwarder_name(self._name)).get("Ports") or {}).get(f"{inside}/tcp")
        if not published:
            raise self.failure(f"the forwarder of {self.image} opened no port")
        return f"http://{_host(self._options.address)}:{published[0]['HostPort']}"

    def _found(self, name: str) -> dict[str, Any]:
        """Return what the engine says of a container's networks; nothing where it is gone."""
        from docker.errors import NotFound

        with engine.told(f"cannot ask after {self.image}"), contextlib.suppress(NotFound):
            found: dict[str, Any] = self._client.api.inspect_container(name)["NetworkSettings"]
            return found
        return {}

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
        if not self._finalizer.alive:
            return
        for lease in self._leases:
            lease.end()
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
                _remove(self._client, self._name, not self._options.egress)
            self._finalizer.detach()


def _host(address: str) -> str:
    """Return what stands for an address in a URL."""
    every = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    address = every.get(address, address)
    return f"[{address}]" if ":" in address else address


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
            rest = rest[-KEPT_OF_A_LINE_BYTES:]
            lines.extend(map(_line, whole[-KEPT_LINES:]))
    if rest:
        lines.append(_line(rest))


def _line(printed: bytes) -> str:
    return printed[-KEPT_OF_A_LINE_BYTES:].decode(errors="replace").rstrip()


def _forget(client: Any, name: str, enclosed: bool, leases: list[Lease], process: int) -> None:
    """Remove what nobody holds any more, unless this is a fork of the process that made it."""
    if process == os.getpid():
        for lease in leases:
            lease.end()
        with engine.logged(f"the container {name} is left behind"):
            _remove(client, name, enclosed)


def _remove(client: Any, name: str, enclosed: bool) -> None:
    """Remove a container, and the network and the forwarder that it may have."""
    with contextlib.ExitStack() as steps:
        steps.callback(client.close)
        if enclosed:
            steps.callback(engine.remove_network, client, name)
            steps.callback(engine.remove, client, forwarder_name(name))
        steps.callback(engine.remove, client, name)


def _thread(name: str, target: Any, *args: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread
