"""How to run an agent's harness."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator


class HarnessTransport(StrEnum):
    """How an adapter talks to its harness."""

    STDIO = "stdio"
    STREAMABLE_HTTP = "http"
    MCP = "mcp"


class HarnessConfig(BaseModel):
    """What an adapter needs to run a harness as a process. Unknown fields are refused.

    Attributes:
        name: what the harness is called.
        command: the program and its arguments, at least one.
        working_directory: where the harness works.
        env_vars: environment variables, over this process's.
        transport: how the harness is talked to.
        mcp_config_path: where the harness reads which tools it has; None for where it looks by itself.
        startup_timeout_s: seconds until it must be ready.
        session_timeout_s: seconds that one turn may take.
        model: the model that it asks, None for its own choice.
        api_key_env_var: the name of the variable with the key of that model's endpoint.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    command: list[str]
    working_directory: str = "/workspace"
    env_vars: dict[str, str] = Field(default_factory=dict)
    transport: HarnessTransport = HarnessTransport.STDIO
    mcp_config_path: str | None = None
    startup_timeout_s: float = 30.0
    session_timeout_s: float = 600.0
    model: str | None = None
    api_key_env_var: str | None = None

    @field_validator("command")
    @classmethod
    def _names_a_program(cls, command: list[str]) -> list[str]:
        if not command:
            raise ValueError("a command has at least the name of a program")
        return command
