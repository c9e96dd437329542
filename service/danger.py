"""Danger to somebody, seen by its words while the assistant is away: the right number comes first all the same.

The words and the sentences are the assistant's own (`bot/nlu/components/danger.yml`, `bot/domain.yml`): data, not code.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from core.segment import fold
from service.bot import BOT

EMERGENCY = "emergency"
ANY_DANGER = "utter_danger"
HELP, HURT = "help", "hurt"
_SORTS = {"left in a car": "trapped", "falls": HURT}
"""Kinds of danger that are told in the same words: who fell is hurt."""


@dataclass(frozen=True, slots=True)
class _Words:
    misspelt: tuple[tuple[re.Pattern[str], str], ...]
    figures: re.Pattern[str]
    forms: tuple[tuple[str, re.Pattern[str]], ...]
    takes_back: tuple[re.Pattern[str], ...]
    now: re.Pattern[str]
    only_spoken: re.Pattern[str]
    sentences: tuple[tuple[re.Pattern[str], str], ...]
    any_danger: str


def see(text: str) -> str | None:
    """The sentence that goes first where a text reports danger; None where it reports none, or only speaks of it."""
    words, plain = _words(), put_right(text)
    literal = words.figures.sub(" ", plain)
    if not any(form.search(literal) for _, form in words.forms):
        return None
    # Who asks, remembers or fears is in no danger; who cries for help is, whatever else he says.
    spoken_of = any(form.search(plain) for form in words.takes_back)
    if spoken_of and not (words.now.search(plain) and not words.only_spoken.search(plain)):
        return None
    return next((sentence for form, sentence in words.sentences if form.search(plain)), words.any_danger)


def put_right(text: str) -> str:
    """The folded text with its words of danger as they are written, whatever was typed or heard for them."""
    plain = fold(text)
    for form, means in _words().misspelt:
        plain = form.sub(means, plain)
    return plain


def sorts(text: str) -> frozenset[str]:
    """All sorts of danger that a text tells of; empty where it only cries for help, or in words that nobody foresaw."""
    words = _words()
    literal = words.figures.sub(" ", put_right(text))
    return frozenset(_SORTS.get(kind, kind) for kind, form in words.forms if kind != HELP and form.search(literal))


@lru_cache(maxsize=1)
def _words() -> _Words:
    read: dict[str, Any] = yaml.safe_load((BOT / "nlu" / "components" / "danger.yml").read_text("utf-8"))
    responses = yaml.safe_load((BOT / "domain.yml").read_text("utf-8"))["responses"]
    said = {name: options[0]["text"] for name, options in responses.items() if options[0].get("text")}

    def form_of(text: str) -> re.Pattern[str]:
        for name, part in read["parts"].items():
            text = text.replace(f"<{name}>", part)
        return re.compile(text)

    return _Words(
        misspelt=tuple((re.compile(row["form"]), row["means"]) for row in read["misspelt"]),
        figures=re.compile("|".join(read["figures"])),
        forms=tuple((row["kind"], form_of(row["form"])) for row in read["forms"]),
        takes_back=tuple(re.compile(form) for form in read["takes_back"]),
        now=re.compile(read["now"]),
        only_spoken=re.compile(read["only_spoken"]),
        sentences=tuple((re.compile(row["when"]), said[row["say"]]) for row in read["sentences"]),
        any_danger=said[ANY_DANGER],
    )
