"""For whom somebody writes: the forms of behalf.yml, which the service reads too, for its calls."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

_WORDS: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"))


def _compile(form: str) -> re.Pattern[str]:
    for name, part in reversed(_WORDS["parts"].items()):
        form = form.replace(f"<{name}>", part)
    return re.compile(form)


_FORMS = tuple(_compile(form) for form in _WORDS["forms"])
_CONCERNS = tuple(_compile(form) for form in _WORDS["concerns"])
_ORGANISATION = re.compile(_WORDS["parts"]["body"])


def find_behalf(text: str, *, only_said: bool = False) -> str | None:
    """Who is meant: 妈, 邻居, 公司; None where he speaks for himself. `only_said`: whose trouble it is does not tell it."""
    forms = _FORMS if only_said else (*_FORMS, *_CONCERNS)
    match = next((match for form in forms if (match := form.search(text))), None)
    return match["who"] if match else None


def is_organisation(who: str) -> bool:
    """A company or the like: then it is what turned to the office."""
    return _ORGANISATION.fullmatch(who) is not None
