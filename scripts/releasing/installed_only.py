"""Breaks a run of tests that has anything of the checkout; scripts/test-wheel lays it beside the tests as their conftest.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(os.environ["OPENENV_CHECKOUT"]).resolve()


def of_the_checkout() -> list[str]:
    """Return the paths below the checkout that modules are searched in or came from."""
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    paths = [*sys.path, *(file for file in files if isinstance(file, str))]
    return sorted({path for path in paths if Path(path).resolve().is_relative_to(CHECKOUT)})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run where the checkout was reached."""
    found = of_the_checkout()
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        sys.stderr.write(f"\nfrom the checkout, not from a wheel: {', '.join(found[:5])}\n")
