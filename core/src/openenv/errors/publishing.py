"""Images and Spaces that were not made."""

from __future__ import annotations

from .error import OpenEnvError


class PublishError(OpenEnvError):
    """An image was not built, or an image or a Space was not pushed; the message says what is there all the same."""

    @property
    def output(self) -> tuple[str, ...]:
        """The step of a build that failed and the last that it printed, a line each; empty where nothing was built."""
        lines: tuple[str, ...] = self.details.get("output", ())
        return lines
