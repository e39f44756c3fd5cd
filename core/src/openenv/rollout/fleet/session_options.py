"""Options of the clients that a fleet's sessions are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import UsageError
from ...launch.provider import RuntimeProvider

OF_THE_FLEET = ("base_url", "provider")
"""Arguments of a client's constructor that say where it is."""


def session_options(client: Callable[..., Any], given: Mapping[str, Any] | None, provider: RuntimeProvider) -> dict[str, Any]:
    """Return the options that a caller named, after a client has been made with them.

    Args:
        client: the class of the sessions.
        given: options by name.
        provider: what that client is given for its own.

    Raises:
        UsageError: the class takes no option of that name, or not that value.
    """
    if not isinstance(given, Mapping | None):
        raise UsageError(f"client_options are named, {{'message_timeout_s': 30}}, and not {given!r:.100}")
    options, name = dict(given or {}), getattr(client, "__name__", "the client")
    taken = inspect.signature(client).parameters.values()
    known = sorted(one.name for one in taken if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY))
    known = [one for one in known if one not in OF_THE_FLEET]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in taken)
    unknown = [str(one) for one in options if one in OF_THE_FLEET or not (one in known or takes_any)]
    if unknown:
        raise UsageError(
            f"client_options: a session of {name} takes no {', '.join(sorted(unknown))}: it takes {', '.join(known)}"
        )
    try:
        client(provider=provider, **options)
    except (TypeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"client_options: {name} cannot be made with {options!r:.200}: {error}") from None
    return options
