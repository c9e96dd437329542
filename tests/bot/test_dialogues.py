"""Every dialogue, played over HTTP against the real assistant."""
from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from service.bot import PYTHON
from tests.bot.dialogue import load, play
from tests.bot.running import Assistant, run_assistant

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """One assistant for all dialogues; each dialogue is a matter of its own."""
    if not PYTHON.exists():
        pytest.skip("NO ASSISTANT ON THIS MACHINE: not one dialogue was tested (run `make setup` for bot/.venv)")
    with run_assistant(tmp_path_factory.mktemp("assistant"), sys.executable) as running:
        yield running


@pytest.mark.parametrize("dialogue", load(), ids=lambda dialogue: dialogue["name"])
async def test_dialogue_goes_as_written(assistant: Assistant, dialogue: dict[str, Any]) -> None:
    assert await play(dialogue, assistant.rasa, assistant.fake) == []
