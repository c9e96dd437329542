"""The real assistant, started once for all tests that speak to it."""
from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from service.bot import PYTHON
from tests.bot.running import Assistant, run_assistant


@pytest.fixture(scope="session")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """One assistant for all; each dialogue is a matter of its own."""
    if not PYTHON.exists():
        pytest.skip("NO ASSISTANT ON THIS MACHINE: not one dialogue was tested (run `make setup` for bot/.venv)")
    with run_assistant(tmp_path_factory.mktemp("assistant"), sys.executable) as running:
        yield running
