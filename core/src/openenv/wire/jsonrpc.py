"""JSON-RPC 2.0 as MCP uses it: requests, responses and their error codes."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, Literal

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Id = str | int | None


class McpMethod(StrEnum):
    """The methods that reach tools."""

    TOOLS_LIST = "tools/list"
    TOOLS_CALL = "tools/call"


SESSION_CREATE = "openenv/session/create"
SESSION_CLOSE = "openenv/session/close"
"""Methods of this project's own: an agent's session, in which its tools remember what was done."""


class JsonRpcErrorCode(IntEnum):
    """Codes of the specification; -32000 is what the server says of itself."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    SERVER_ERROR = -32000


_MESSAGES = {
    JsonRpcErrorCode.PARSE_ERROR: "Parse error",
    JsonRpcErrorCode.INVALID_REQUEST: "Invalid request",
    JsonRpcErrorCode.METHOD_NOT_FOUND: "Method not found",
    JsonRpcErrorCode.INVALID_PARAMS: "Invalid params",
    JsonRpcErrorCode.INTERNAL_ERROR: "Internal error",
    JsonRpcErrorCode.SERVER_ERROR: "Server error",
}


class JsonRpcError(BaseModel):
    """Why there is no result."""

    model_config = ConfigDict(extra="forbid")

    code: int
    message: str
    data: Any = None

    @classmethod
    def from_code(cls, code: JsonRpcErrorCode, message: str | None = None, data: Any = None) -> JsonRpcError:
        """Return the error of a code, with the specification's words where no others are given."""
        return cls(code=code.value, message=_MESSAGES[code] if message is None else message, data=data)


class JsonRpcRequest(BaseModel):
    """A call; without an id a notification, which is not answered."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"]
    method: str
    params: dict[str, Any] = Field(default_factory=dict)
    id: Id = None


class JsonRpcResponse(BaseModel):
    """An answer; it is dumped with `result` or with `error`, never with both."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"] = "2.0"
    result: Any = None
    error: JsonRpcError | None = None
    id: Id = None

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Return the answer as the specification has it."""
        head: dict[str, Any] = {"jsonrpc": self.jsonrpc, "id": self.id}
        if self.error is not None:
            return {**head, "error": self.error.model_dump(**options)}
        return {**head, "result": self.result}

    def model_dump_json(self, **options: Any) -> str:
        """Return the answer as JSON; floats that are not finite are `null`."""
        mode = {name: value for name, value in options.items() if name != "indent"}
        return pydantic_core.to_json(self.model_dump(**mode), indent=options.get("indent"), inf_nan_mode="null").decode()

    @classmethod
    def success(cls, result: Any, request_id: Id = None) -> JsonRpcResponse:
        """Return the answer of a call that went well."""
        return cls(result=result, id=request_id)

    @classmethod
    def error_response(
        cls, code: JsonRpcErrorCode, message: str | None = None, data: Any = None, request_id: Id = None
    ) -> JsonRpcResponse:
        """Return the answer of a call that did not."""
        return cls(error=JsonRpcError.from_code(code, message, data), id=request_id)


def load(text: str | bytes) -> dict[str, Any] | JsonRpcResponse:
    """Return a message's JSON object, or the answer to what is none."""
    try:
        message = pydantic_core.from_json(text)
    except ValueError as error:
        return JsonRpcResponse.error_response(JsonRpcErrorCode.PARSE_ERROR, f"Parse error: {error}")
    if not isinstance(message, dict):
        told = "Parse error: a message is one object; batches are not taken"
        return JsonRpcResponse.error_response(JsonRpcErrorCode.PARSE_ERROR, told)
    return message


def read(message: dict[str, Any]) -> JsonRpcRequest | JsonRpcResponse:
    """Return an object as a request, or the answer to what is none."""
    try:
        return JsonRpcRequest.model_validate(message)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)[:5])
        number = message.get("id")
        number = number if isinstance(number, str | int) else None
        return JsonRpcResponse.error_response(JsonRpcErrorCode.INVALID_REQUEST, f"Invalid request: {found}", request_id=number)
