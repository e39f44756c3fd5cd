"""A command whose help says of every option what it is by default, and whose mistakes say whose they are."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperOption


class Command(TyperCommand):
    """Says `off` of a flag, and `none` of what is left out, where the option says nothing of its own."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        for option in self.params:
            if isinstance(option, TyperOption) and option.show_default is True:
                if option.is_flag and not option.secondary_opts and not option.default:
                    option.show_default = "off"
                elif option.default in (None, "", [], ()):
                    option.show_default = "none"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments. Raises `typer.TyperException` for a mistake in them, whose `ctx` is this command's."""
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            if getattr(error, "ctx", None) is None:  # as it is where an option has no value
                error.ctx = ctx  # type: ignore[attr-defined]
            raise
