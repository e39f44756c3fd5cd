"""Why a tool gave nothing."""

from __future__ import annotations

from ..contract.tools import ToolError, ToolErrorType


class ToolFailure(Exception):
    """A call that gave no result.

    Attributes:
        error: what its caller is told.
    """

    def __init__(self, error_type: ToolErrorType, message: str) -> None:
        super().__init__(message)
        self.error = ToolError(error_type=error_type, message=message)


def unknown_tool(name: str) -> ToolFailure:
    """Return the failure of a call to a tool that there is not."""
    return ToolFailure(ToolErrorType.TOOL_NOT_FOUND, f"Unknown tool: {name!r}")


def wrong_arguments(message: str) -> ToolFailure:
    """Return the failure of a call whose arguments the tool does not take."""
    return ToolFailure(ToolErrorType.INVALID_ARGS, message)


def failed_in(name: str, error: BaseException) -> ToolFailure:
    """Return the failure of a tool that raised."""
    told = str(error) or type(error).__name__
    return ToolFailure(ToolErrorType.EXECUTION_ERROR, f"Error calling tool {name!r}: {told}")


def raised_in_tool(failure: ToolFailure) -> BaseException:
    """Return what the tool itself raised, or a `RuntimeError` where the failure is of something else."""
    return failure.__cause__ or RuntimeError(str(failure))
