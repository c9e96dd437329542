"""Every dialogue, played over HTTP against the real assistant."""
from __future__ import annotations

from typing import Any

import pytest

from tests.bot.dialogue import load, play
from tests.bot.running import Assistant

pytestmark = pytest.mark.acceptance


@pytest.mark.parametrize("dialogue", load(), ids=lambda dialogue: dialogue["name"])
async def test_dialogue_goes_as_written(assistant: Assistant, dialogue: dict[str, Any]) -> None:
    assert await play(dialogue, assistant.rasa, assistant.fake) == []
