"""A FastMCP server's tools for a harness that runs beside this process."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Any

from ...errors import HarnessError
from ...mcp.server_tools import library

logger = logging.getLogger(__name__)

STOPPING_S = 1
"""How long requests that are under way may take when the bridge stops."""


class HarnessMCPBridge:
    """Serves a FastMCP server (Streamable HTTP) on a free port of this machine, in a thread with an event loop of its own.

    The tools are all that can be reached there.

    Args:
        mcp_server: the FastMCP server.
        host: the address to listen at; others than this machine's own give the tools to whoever can reach them.
    """

    def __init__(self, mcp_server: Any, host: str = "127.0.0.1") -> None:
        self._mcp_server = mcp_server
        self._host = host
        self._serving: _Serving | None = None

    @property
    def url(self) -> str | None:
        """Where the tools are, `http://127.0.0.1:…/mcp`; None while they are not served."""
        return None if self._serving is None else self._serving.url

    def start(self, timeout_s: float = 10.0) -> str:
        """Serve the tools and return where; where they are served already, only says so.

        Raises:
            HarnessError: the server did not start, or not in time.
            OSError: nothing can listen at the host.
            UsageError: the `[mcp]` extra is not installed.
        """
        if self._serving is None:
            library("fastmcp")
            serving = _Serving(self._mcp_server, self._host)
            serving.begin(timeout_s)
            self._serving = serving
        return self._serving.url

    def stop(self, timeout_s: float = 5.0) -> None:
        """Serve no more. A tool that does not return within `timeout_s` is left to end with this process."""
        serving, self._serving = self._serving, None
        if serving is not None and not serving.end(timeout_s):
            logger.warning("a tool of the bridge at %s still runs %g s after it was stopped", serving.url, timeout_s)


class _Serving:
    """One run of the server."""

    def __init__(self, mcp_server: Any, host: str) -> None:
        import uvicorn

        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        port = self._listener.getsockname()[1]
        self.url = f"http://[{host}]:{port}/mcp" if ":" in host else f"http://{host}:{port}/mcp"
        self._mcp_server = mcp_server
        self._uvicorn = uvicorn
        self._server: Any = None
        self._error: BaseException | None = None
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="openenv-harness-bridge", daemon=True)

    def begin(self, timeout_s: float) -> None:
        """Wait until the server answers. Raises `HarnessError` where it does not."""
        self._thread.start()
        if not self._settled.wait(timeout_s):
            self.end(0)
            raise HarnessError(f"the bridge of the tools did not start within {timeout_s:g} s")
        if self._error is not None:
            raise HarnessError(f"the bridge of the tools could not start: {self._error}") from self._error

    def end(self, timeout_s: float) -> bool:
        """Stop the server; returns whether it has stopped within `timeout_s`."""
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with self._listener:
                asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
        self._settled.set()

    async def _serve(self) -> None:
        config = self._uvicorn.Config(
            self._mcp_server.http_app(path="/mcp"),
            lifespan="on",
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=STOPPING_S,
        )
        self._server = self._uvicorn.Server(config)
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._listener]))
        while not (self._server.started or serving.done()):
            await asyncio.sleep(0.01)
        if self._server.started:
            self._settled.set()
        await serving


async def build_bridge_server(mcp_server: Any, renames: dict[str, str]) -> Any:
    """Return a FastMCP server that has another's tools under other names, or that one itself where none is renamed.

    Args:
        mcp_server: the server with the tools, which stays as it is.
        renames: the name that each renamed tool has, to the name that it gets from: `{"env_add": "add"}`.

    Raises:
        HarnessError: the server has no tool of such a name, or a new name is taken.
        UsageError: the `[mcp]` extra is not installed.
    """
    if not renames:
        return mcp_server
    fastmcp, transforms = library("fastmcp"), library("fastmcp.server.transforms")
    configs = library("fastmcp.tools.tool_transform")
    present = {tool.name for tool in await mcp_server.list_tools()}
    if missing := sorted(set(renames.values()) - present):
        raise HarnessError(f"the server has no tool {', '.join(missing)} that could be renamed")
    if taken := sorted(renames.keys() & (present - set(renames.values()))):
        raise HarnessError(f"the server has another tool {', '.join(taken)} already")
    view = fastmcp.FastMCP(mcp_server.name)
    view.mount(mcp_server)
    changes = {source: configs.ToolTransformConfig(name=name) for name, source in renames.items()}
    view.add_transform(transforms.ToolTransform(changes))
    return view
