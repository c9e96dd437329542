"""What the nightly inspection finds: faults planted in the shipped guides, and how often it cries wolf on sound ones.

`python -m benchmarks.rehearsal` plants fifty faults one at a time: into the guides as they lie in a folder, where there
is nothing to compare with, and into an office's database, where the version before is on record.
"""

import asyncio
import dataclasses
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from core import clock
from knowledge_base.guide import PRESETS, Faq, Guide
from knowledge_base.index import Index
from knowledge_base.library import shipped
from knowledge_base.rehearsal import Failure, Known, rehearse

FAULTS = 50
WAYS = {"as they lie in a folder": False, "with the version before on record": True}
Plant = Callable[[Guide, Guide, random.Random, date], Mapping[str, Any]]
"""(guide, another, chance, today) → the fields of the guide that change."""


def _fields(guide: Guide, **changed: str) -> Mapping[str, Any]:
    return {"fields": {name: text for name, text in {**guide.fields, **changed}.items() if text}}


def _swap(name: str) -> Plant:
    return lambda guide, other, chance, today: _fields(guide, **{name: other.fields[name]})


def _date(name: str, days: int) -> Plant:
    return lambda guide, other, chance, today: {name: today + timedelta(days=days)}


def _link(link: str) -> Plant:
    return lambda guide, other, chance, today: _fields(guide, forms=f"{guide.fields['forms']}，见[下载]({link})")


def _phone(guide: Guide, other: Guide, chance: random.Random, today: date) -> Mapping[str, Any]:
    digits = [at for at, char in enumerate(guide.fields["phone"]) if char.isdigit()]
    lost = digits[5]
    return _fields(guide, phone=guide.fields["phone"][:lost] + guide.fields["phone"][lost + 1 :])


def _impossible_day(guide: Guide, other: Guide, chance: random.Random, today: date) -> Mapping[str, Any]:
    return _fields(guide, steps=guide.fields["steps"] + "\n\n2026年2月30日前交齐材料。")


def _stolen_question(guide: Guide, other: Guide, chance: random.Random, today: date) -> Mapping[str, Any]:
    return {"faq": (*guide.faq, Faq(other.faq[0].question, other.faq[0].answer))}


PLANTS: Mapping[str, Sequence[Plant]] = {
    "wrong date": (_date("valid_from", 40), _date("checked_on", 30), _date("valid_to", -3), _date("checked_on", -900),
                   _impossible_day, _date("valid_to", 9000)),
    "dead link": (_link("guide:no-such-guide"), _link("https://"), _link("htp://www.gov.cn/x"), _link("表格.doc"),
                  _link("/forms-old"), _link("https://www.example.com/a")),
    "swapped fee": (_swap("fee"),),
    "expired": (_date("valid_to", -1), _date("valid_to", -400), lambda *_: {"state": "expired"}),
    "broken telephone": (_phone,),
    "swapped limit": (_swap("limit_promised"),),
    "missing field": (lambda guide, *_: _fields(guide, fee=""), lambda guide, *_: _fields(guide, materials="")),
    "another guide's question": (_stolen_question,),
}
COUNTS = {"wrong date": 10, "dead link": 9, "swapped fee": 12, "expired": 6, "broken telephone": 4, "swapped limit": 4,
          "missing field": 3, "another guide's question": 2}
assert sum(COUNTS.values()) == FAULTS


def plant(guides: Sequence[Guide], chance: random.Random, today: date) -> list[tuple[str, Guide]]:
    """(kind, the guide with its fault); a swap is taken only where the two texts differ in what they charge or promise."""
    found = []
    for kind, count in COUNTS.items():
        for number in range(count):
            make = PLANTS[kind][number % len(PLANTS[kind])]
            while True:
                guide = chance.choice(guides)
                other = chance.choice([each for each in guides if each.preset == guide.preset and each is not guide])
                if not kind.startswith("swapped") or _says_another(guide, other, kind):
                    break
            found.append((kind, dataclasses.replace(guide, **make(guide, other, chance, today))))
    return found


def _says_another(guide: Guide, other: Guide, kind: str) -> bool:
    name = "fee" if kind == "swapped fee" else "limit_promised"
    numbers = [{char for char in each.fields[name] if char.isdigit()} for each in (guide, other)]
    return numbers[0] != numbers[1]


async def run(seed: int, vectors: bool, folder: Path) -> None:
    guides = [each.guide for each in shipped()]
    now = clock.now()
    index = Index(vectors, folder / "huiyin-vectors")
    await index.load(guides)
    sound: dict[str, set[tuple[str, str, str]]] = {}
    questions = alarms = 0
    for preset in PRESETS:
        own = [guide for guide in guides if guide.preset == preset]
        outcome = await rehearse(index, own, now)
        questions, alarms = questions + outcome.questions, alarms + len(outcome.failures)
        sound[preset] = {_key(failure) for failure in outcome.failures}
        for failure in outcome.failures:
            print(f"  sound guide, yet: {failure.guide} · {failure.kind} · {failure.field} · {failure.text}")
    print(f"sound guides: {len(guides)} asked {questions} questions, {alarms} failures")
    faults = plant(guides, random.Random(seed), clock.local(now).date())
    hits: dict[str, Counter[str]] = {name: Counter() for name in WAYS}
    for kind, broken in faults:
        for name, found in (await find(index, guides, broken, sound[broken.preset])).items():
            hits[name][kind] += found
            if not found:
                print(f"  missed {name}: {kind} in {broken.preset}/{broken.slug}: {broken.fields.get('fee', '')[:50]}")
    for name, counts in hits.items():
        share = counts.total() / len(faults)
        told = ", ".join(f"{kind} {counts[kind]}/{count}" for kind, count in COUNTS.items())
        print(f"{name}: {counts.total()} of {len(faults)} found, {share:.2f} (≥ 0.95 {'yes' if share >= 0.95 else 'NO'}): {told}")
    index.close()


async def find(
    index: Index, guides: Sequence[Guide], broken: Guide, sound: set[tuple[str, str, str]]
) -> dict[str, bool]:
    """Whether the rehearsal says anything of this guide that it did not say of the sound one, both ways."""
    before = next(each for each in guides if (each.preset, each.slug) == (broken.preset, broken.slug))
    standing = [broken if each is before else each for each in guides if each.preset == broken.preset]
    await index.load(standing)
    found = {}
    for name, recorded in WAYS.items():
        known = {broken.slug: Known(broken, before)} if recorded else {}
        outcome = await rehearse(index, standing, clock.now(), known=known, only={broken.slug})
        found[name] = any(_key(failure) not in sound for failure in outcome.failures)
    return found


def _key(failure: Failure) -> tuple[str, str, str]:
    return failure.guide, failure.text, failure.question


def main(arguments: Sequence[str]) -> None:
    numbers = [each for each in arguments if each.isdigit()]
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(int(numbers[0]) if numbers else 7, "--words" not in arguments, Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
