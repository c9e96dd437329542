"""A chain of marks over the characters of a sentence, learnt from the marked sentences: what the patterns found is one of its features.

Patterns see what somebody thought of; the chain (a linear-chain CRF) weighs what they found against the words around it, as
the writers of the training sentences marked it. It decides on places, people, departments and services alone: what has an
exact form, and times, which are read as moments too, stay the patterns'.
"""
from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nlu.components import places
from nlu.components.finding import Finder
from nlu.components.normal import fold
from nlu.components.people import NO_NAMES, is_surname
from nlu.components.regions import REGIONS
from nlu.components.words import Words

Mark = tuple[str, int, int]
"""Kind, start and end."""

DECIDES = ("place", "person", "department", "service")
_HIDDEN = ("phone", "id_number", "ticket_number")
"""Their characters are alike to the chain: tokens in training and in service, digits where somebody only measures."""
_FILLER = "#"
_NUMERALS = frozenset("一二三四五六七八九十百千两零〇幺")
_ENDINGS = frozenset(places.ONE_KIND + places.ESTATE + "栋幢座号楼室层区院门口厅店厂场校站")
_MISLAID = 0.5
"""Share of what patterns found that is taken away or shifted in training: on these sentences they were mended, so they are
better there than on what strangers write, and the chain would trust them too much."""
_SEED = 5
_MOMENT = "2026-11-27T10:00:00+08:00"
"""The training sentences are read as of one day, so that a training is the same on every other."""
_OPTIONS = {"c1": 0.1, "c2": 0.03, "max_iterations": 80, "feature.minfreq": 2, "feature.possible_transitions": False}
_NEW, _OTHERWISE, _NONE = 0.5, 0.6, 0.9
"""How sure the chain must be of a mark where patterns found nothing, where they found another, and that what they found is none."""
_ASKED_BACK = frozenset(("楼道",))
"""The form knows by this vague place that it must ask for a nearer one."""
_ANSWER = 0.5
"""What is so much of a message is its answer."""


def find_marks(finder: Finder, text: str) -> list[Mark]:
    """What the patterns find in a training sentence."""
    return list(map(mark_of, finder.find(text, _MOMENT)))


def learn(sentences: Iterable[tuple[str, Sequence[Mark], Sequence[Mark]]], file: Path) -> bool:
    """Learn from (text, marks, what patterns find in it); False when there is nothing to learn from."""
    import pycrfsuite  # Only the assistant's own environment has it.

    trainer, rng, taught = pycrfsuite.Trainer(verbose=False), random.Random(_SEED), False
    for text, marks, found in sentences:
        if text:
            kept = [mark for mark in marks if mark[0] in (*DECIDES, "time")]
            trainer.append(list(_features(text, _mislay(found, rng))), _labels(len(text), kept))
            taught = True
    if taught:
        trainer.set_params(_OPTIONS)
        trainer.train(str(file))
    return taught


class Chain:
    """The chain of a trained model."""

    def __init__(self, file: Path) -> None:
        import pycrfsuite

        self._learnt = file.read_bytes()  # The tagger reads in it as long as it lives.
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open_inmemory(self._learnt)

    def decide(self, text: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The entities of a text in their order: what the chain marks, and of the patterns' what it leaves to them."""
        if not text:
            return found
        exact = [entity for entity in found if entity["entity"] not in DECIDES]
        broad = [entity for entity in found if entity["entity"] in DECIDES]
        known, taken = set(map(mark_of, broad)), list(map(mark_of, exact))
        labels = self._tagger.tag(list(_features(text, [*taken, *known])))
        marks = [mark for mark in _spans(labels) if mark[0] in DECIDES and not _touches(mark, taken) and (
            mark in known or (_names_one(text, mark) and self._surety(labels, mark) >= (_OTHERWISE if _touches(mark, known) else _NEW)))]
        left = [entity for entity in broad if not _touches(mark_of(entity), marks) and not self._is_nothing(text, mark_of(entity))]
        decided = [{"entity": kind, "start": start, "end": end, "value": text[start:end]} for kind, start, end in marks]
        return sorted([*exact, *left, *decided], key=lambda entity: entity["start"])

    def _surety(self, labels: Sequence[str], mark: Mark) -> float:
        """Of the text that was tagged last."""
        return min(self._tagger.marginal(labels[at], at) for at in range(*mark[1:]))

    def _is_nothing(self, text: str, mark: Mark) -> bool:
        """Whether the chain is sure that it is none of the kinds; what is most of a message is its answer."""
        if mark[2] - mark[1] >= _ANSWER * len(text.strip()) or text[mark[1]:mark[2]] in _ASKED_BACK:
            return False
        return min(self._tagger.marginal("O", at) for at in range(*mark[1:])) >= _NONE


def _names_one(text: str, mark: Mark) -> bool:
    """幼儿园 says nothing of which one, and 谢谢 is nobody."""
    said = fold(text[mark[1]:mark[2]])
    return said not in NO_NAMES and not (mark[0] == "place" and places.LONG_KIND.fullmatch(said))


def mark_of(entity: dict[str, Any]) -> Mark:
    """An entity as Rasa and the finder tell it."""
    return entity["entity"], entity["start"], entity["end"]


def _touches(mark: Mark, others: Iterable[Mark]) -> bool:
    return any(mark[1] < end and start < mark[2] for _, start, end in others)


def _mislay(found: Sequence[Mark], rng: random.Random) -> Iterator[Mark]:
    for kind, start, end in sorted(found, key=lambda mark: mark[1]):
        if kind in DECIDES and rng.random() < _MISLAID:
            luck = rng.random()
            if luck < 0.6:
                continue
            if luck < 0.8 and end - start > 2:
                start += 1
            elif end - start > 2:
                end -= 1
        yield kind, start, end


def _labels(length: int, marks: Iterable[Mark]) -> list[str]:
    """One label a character: B-place I-place E-place, S-person alone, O outside."""
    labels = ["O"] * length
    for kind, start, end in marks:
        labels[start:end] = [f"I-{kind}"] * (end - start)
        labels[start], labels[end - 1] = f"B-{kind}", f"E-{kind}"
        if end - start == 1:
            labels[start] = f"S-{kind}"
    return labels


def _spans(labels: Sequence[str]) -> Iterator[Mark]:
    begun: tuple[str, int] | None = None
    for at, label in enumerate([*labels, "O"]):
        place, _, kind = label.partition("-")
        if begun and (place in "OBS" or kind != begun[0]):
            yield begun[0], begun[1], at
            begun = None
        if place != "O" and begun is None:
            begun = kind, at
        if begun and place in "ES":
            yield begun[0], begun[1], at + 1
            begun = None


def _features(text: str, found: Iterable[Mark]) -> Iterator[list[str]]:
    """What is seen at each character: its neighbours, their classes, the word around it and beside it, what patterns found."""
    plain, marks = fold(text), list(found)
    shown = list(plain)
    for kind, start, end in marks:
        if kind in _HIDDEN:
            shown[start:end] = _FILLER * (end - start)
    words = [_word(word.tag, "".join(shown[word.start:word.end])) for word in Words(plain).all]
    where = [(n, at) for n, (said, _) in enumerate(words) for at in range(len(said))]
    marked = ["^", *_labels(len(plain), marks), "$"]
    kinds = _labels(len(plain), (("", *match.span()) for match in places.LONG_KIND.finditer("".join(shown))))
    said = ["^^", "^", *("0" if one.isdigit() else one for one in shown), "$", "$$"]
    looks = ["^", "^", *map(_class, shown), "$", "$"]
    for at, one in enumerate(shown):
        yield [
            *_beside(said[at:at + 5], looks[at:at + 5]), *_of_word(words, *where[at]), *_of_marks(marked[at:at + 3], said[at + 1:at + 4]),
            *(("surname",) if is_surname(one) else ()), *((f"kind={kinds[at]}",) if kinds[at] != "O" else ()),
            *(f"ending{step}" for step in (-1, 0, 1) if said[at + 2 + step] in _ENDINGS)]


def _beside(said: Sequence[str], looks: Sequence[str]) -> Iterator[str]:
    before, last, one, following, after = said
    yield from (f"0={one}", f"-1={last}", f"+1={following}", f"-2={before}", f"+2={after}", f"-10={last}{one}", f"01={one}{following}",
                f"-2-1={before}{last}", f"12={following}{after}", f"-101={last}{one}{following}", f"look={''.join(looks[1:4])}", f"looks={''.join(looks)}")


def _word(tag: str, said: str) -> tuple[str, str]:
    if _FILLER in said:
        return _FILLER * len(said), _FILLER
    return ("0" * len(said), "m") if said.isdigit() else (said, tag)


def _of_word(words: Sequence[tuple[str, str]], n: int, at: int) -> Iterator[str]:
    said, tag = words[n]
    beside = {step: words[n + step] if 0 <= n + step < len(words) else ("^" if step < 0 else "$",) * 2 for step in (-2, -1, 1)}
    (last, last_tag), (following, following_tag) = beside[-1], beside[1]
    part = "S" if len(said) == 1 else "B" if at == 0 else "E" if at == len(said) - 1 else "I"
    yield from (f"word={said}", f"tag={part}{tag}", f"part={part}", f"last={part}{last_tag}", f"next={part}{following_tag}",
                f"tags={last_tag}/{tag}/{following_tag}", f"before={last}", f"after={following}", f"end={said[-1]}{part}",
                f"nextend={following[-1]}", f"tags2={beside[-2][1]}/{last_tag}")
    if said in REGIONS:
        yield f"region{part}"
    yield "verb=" + next((word for word, its in reversed(words[max(n - 4, 0):n]) if its[0] in "vp"), "-")
    yield "verb+=" + next((word for word, its in words[n + 1:n + 5] if its[0] == "v"), "-")


def _of_marks(marked: Sequence[str], said: Sequence[str]) -> Iterator[str]:
    last, mark, following = marked
    yield from (f"m={mark}", f"m-1={last}", f"m+1={following}", f"mm={last}/{mark}/{following}")
    if mark != "O":
        yield from (f"m0={mark}{said[1]}", f"m<={mark}{said[0]}", f"m>={mark}{said[2]}")


def _class(one: str) -> str:
    """d digit, n numeral, a letter, _ space, . sign, h any other character."""
    if one == _FILLER:
        return _FILLER
    if one.isdigit():
        return "d"
    if one in _NUMERALS:
        return "n"
    if one.isspace():
        return "_"
    if one.isascii() and one.isalpha():
        return "a"
    return "h" if one.isalnum() else "."
