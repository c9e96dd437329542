"""For whom he speaks: 替我妈问一下, 我妈腿脚不便让我打的; relation and the piece that tells it.

The words are the assistant's own (`bot/actions/behalf.yml`): who writes and who calls is understood alike.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import yaml

from service.bot import BOT
from service.hearing.people import Said
from service.hearing.voices import Heard


def find_behalf(pieces: Sequence[Heard]) -> Said | None:
    """Who is meant, in the caller's first words for it; None where he speaks for himself."""
    for piece in pieces:
        match = next((match for form in _forms() if (match := form.search(piece.plain))), None) if piece.is_caller else None
        if match:
            return Said(match["who"], 0.8, piece)
    return None


@lru_cache(maxsize=1)
def _forms() -> tuple[re.Pattern[str], ...]:
    read: dict[str, Any] = yaml.safe_load((BOT / "actions" / "behalf.yml").read_text("utf-8"))
    return tuple(re.compile(_with_parts(form, read["parts"])) for form in (*read["forms"], *read["concerns"]))


def _with_parts(form: str, parts: dict[str, str]) -> str:
    for name, part in reversed(parts.items()):
        form = form.replace(f"<{name}>", part)
    return form
