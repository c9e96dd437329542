"""From the pieces of a call to its draft tickets: one a matter, with the five elements and the turn of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service.hearing import matters, secrecy
from service.hearing.behalf import find_behalf
from service.hearing.people import Said, find_person, find_phone, number_parts
from service.hearing.places import Parse, find_place, split_place
from service.hearing.times import find_time
from service.hearing.voices import Heard

ELEMENTS = ("person", "phone", "place", "time", "matter")
FROM_EXCHANGE = "来电显示的号码"
INHERITED = 0.5
SPEAKERS = {"caller": "来电人", "agent": "话务员"}


@dataclass(frozen=True, slots=True)
class Element:
    """One of the five. `turn` is None where the exchange showed it; `answers`: the agent's turn that the caller confirmed."""

    name: str
    value: str
    confidence: float
    turn: int | None
    text: str
    answers: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket to be: what it would say, and what is still missing."""

    kind: str
    description: str
    elements: tuple[Element, ...]
    words: str
    """The caller's own words, by which category and urgency are judged."""
    happened_at: datetime | None = None
    emergency: bool = False
    confidential: bool = False
    anonymous: bool = False
    answered: Element | None = None
    on_behalf_of: Element | None = None
    """For whom he speaks (我妈), and where he says so."""
    missing: tuple[str, ...] = field(default=ELEMENTS)

    def value(self, name: str) -> str | None:
        """The element of this name, None when it is missing."""
        return next((item.value for item in self.elements if item.name == name), None)


def draft_matters(
    pieces: Sequence[Heard], parses: Mapping[int, Parse], gists: Mapping[int, Parse], caller: str, started_at: datetime
) -> list[Draft]:
    """The drafts of a call, at least one.

    `parses`: what the assistant understood of each piece, by its number; `gists`: of the words of each matter
    (`matters.words_of`), by the matter's number; both may be empty, when the assistant is away. `caller`: the number
    the exchange showed, or empty. Who calls and from where is said once for all matters.
    """
    parts = matters.split_matters(pieces)
    person, phone = find_person(pieces), find_phone(pieces, caller)
    behalf = find_behalf(pieces)
    written = dict(zip(pieces, write_numbers(pieces, phone.value if phone else ""), strict=True))
    all_words = "，".join(piece.plain for piece in pieces if piece.is_caller)
    drafts: list[Draft] = []
    for ordinal, numbers in enumerate(parts):
        own = [pieces[number] for number in numbers]
        numbered = dict(enumerate(numbers))
        place, time = find_place(own, parses, numbered), find_time(own, parses, numbered, started_at)
        place = _beside(place, drafts[0] if drafts else None)
        words, gist = matters.words_of(own), gists.get(ordinal, {})
        said = {"person": person, "phone": phone, "place": place, "time": time.said if time else None,
                "matter": matters.find_matter(own)}
        elements = tuple(_element(name, value, written) for name, value in said.items() if value is not None)
        danger = matters.is_danger(gist) or any(
            matters.is_danger(parses.get(number, {}), matters.PIECE_SURE) for number in numbers if pieces[number].is_caller)
        answer = matters.find_answer(own)
        drafts.append(Draft(
            kind="request" if danger else matters.judge_kind(words, gist),
            description=write_dialogue(own, phone.value if phone else ""),
            elements=elements, words=words, happened_at=time.moment if time else None, emergency=danger,
            confidential=secrecy.wants_confidence(all_words),
            anonymous=secrecy.stays_unnamed(all_words),
            answered=Element("answer", written[answer], 1.0, answer.turn, written[answer]) if answer else None,
            on_behalf_of=_element("on_behalf_of", behalf, written) if behalf else None,
            missing=tuple(name for name in ELEMENTS if said[name] is None),
        ))
    return drafts


def _beside(place: Said | None, first: Draft | None) -> Said | None:
    """A second matter of the same caller is in the same estate, unless he says another place."""
    where = next((item for item in first.elements if item.name == "place"), None) if first else None
    if where is None:
        return place
    if place is None:
        return Said(where.value, INHERITED, Heard(where.turn or 0, "caller", where.text, where.text))
    name = split_place(where.value).get("name")
    if name and "name" not in split_place(place.value):
        return Said(name + place.value, min(place.confidence, 0.7), place.piece, place.after)
    return place


def _element(name: str, said: Said, written: Mapping[Heard, str]) -> Element:
    if said.piece is None:
        return Element(name, said.value, said.confidence, None, FROM_EXCHANGE)
    return Element(name, said.value, said.confidence, said.piece.turn, written.get(said.piece, said.piece.text),
                   said.after.turn if said.after else None)


def write_dialogue(pieces: Sequence[Heard], phone: str) -> str:
    """The pieces as a clerk reads them, telephone numbers in digits, so that they are known for what they are."""
    return "\n".join(f"{SPEAKERS[piece.speaker]}：{text}" for piece, text in zip(pieces, write_numbers(pieces, phone), strict=True))


def write_numbers(pieces: Sequence[Heard], phone: str) -> list[str]:
    """The words of each piece with spoken telephone numbers written out; a part of one stands for the whole."""
    parts = number_parts(pieces, phone)
    found: list[str] = []
    for place, piece in enumerate(pieces):
        text, at = [], 0
        for number in piece.numbers:
            if (place, number.start, number.end) in parts:
                text += [piece.text[at : number.start], number.digits if number.is_phone else phone]
                at = number.end
        found.append("".join([*text, piece.text[at:]]))
    return found

