"""What the Hub says when it does not do what was asked, in words for whoever asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import PublishError

HUB = "https://huggingface.co"


@contextmanager
def refusals_told(repo_id: Callable[[], str], option: str = "--repo-id") -> Iterator[None]:
    """Turn what the Hub's client raises into a `PublishError` of one line that says what to do.

    Args:
        repo_id: returns the name of the repository that was called for.
        option: of the command, gives it another name.
    """
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    try:
        yield
    except PublishError:
        raise
    except LocalTokenNotFoundError:
        raise PublishError(_why(401, repo_id(), "", option)) from None
    except HfHubHTTPError as error:
        raise PublishError(_why(error.response.status_code, repo_id(), _said(error), option)) from None
    except http_error() as error:
        raise PublishError(f"{repo_id()} was not pushed: {_unreachable(error)}") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise PublishError(f"{repo_id()} was not pushed: {_said(error)}") from None


def http_error() -> type[Exception]:
    """Return what the Hub's client raises where the Hub cannot be reached: httpx's error, or that of its successor."""
    import huggingface_hub.errors

    kind: type[Exception] = vars(huggingface_hub.errors)["HTTPError"]
    return kind


def why_not(error: Exception) -> str:
    """Say in one line why the Hub did not do something: that it does not answer, or what its client said last."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, http_error()) and not isinstance(error, HfHubHTTPError):
        return _unreachable(error)
    return (str(error) or type(error).__name__).strip().splitlines()[-1]


def _unreachable(error: Exception) -> str:
    """Say where the Hub was looked for, and what to do."""
    named = os.environ.get("HF_ENDPOINT")
    if named:
        return f"no Hub answers at {named}, which HF_ENDPOINT names: correct it, or unset it ({_said(error)})"
    return f"the Hub does not answer at {HUB}: look at the network, or name a mirror by HF_ENDPOINT ({_said(error)})"


def _why(status: int, repo_id: str, said: str, option: str) -> str:
    if status == 401:
        return "the Hub does not know you: hf auth login, or set HF_TOKEN to a token that may write"
    if status == 403:
        return f"your token may not write to {repo_id}: choose a name of your own by {option}, or a token that may write there"
    if status == 404:
        return f"there is no {repo_id} on the Hub that your token may see: check its owner's name"
    if status == 409:
        return f"{repo_id} is taken: choose another name by {option}"
    if status == 413:
        return f"{repo_id} is too large for the Hub: leave out by --exclude what is not needed"
    return f"the Hub did not take {repo_id}: {said} ({status})"


def _said(error: Exception) -> str:
    words = getattr(error, "server_message", None) or str(error) or type(error).__name__
    return " ".join(words.split())
