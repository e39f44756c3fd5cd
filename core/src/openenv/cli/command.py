"""A command whose help says of every option what it is by default."""

from __future__ import annotations

from typing import Any

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
