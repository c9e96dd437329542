"""The assistant's own training data and dialogues, read as data."""
from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.bot.dialogue import load

BOT = Path(__file__).parents[2] / "bot"
DOMAIN = yaml.safe_load((BOT / "domain.yml").read_text(encoding="utf-8"))
MARKED = re.compile(r"\[([^\[\]]+)\]\((\w+)\)")
DATA = Path(__file__).parents[1] / "data"
LEARNED: dict[str, list[str]] = defaultdict(list)
for file in sorted((BOT / "nlu").glob("*.yml")):
    for block in yaml.safe_load(file.read_text(encoding="utf-8")).get("nlu", []):
        if "intent" in block:
            LEARNED[block["intent"]] += block["examples"].splitlines()


@pytest.mark.parametrize("intent", [i for i in DOMAIN["intents"] if i != "nlu_fallback"])
def test_every_declared_intent_has_examples_enough_to_be_told_apart(intent: str) -> None:
    assert len(LEARNED[intent]) >= 15


def test_no_sentence_is_taught_as_two_intents() -> None:
    said = [line for lines in LEARNED.values() for line in lines]
    assert sorted(line for line in set(said) if said.count(line) > 1) == []


def test_every_mark_names_an_entity_and_none_is_half_a_mark() -> None:
    lines = [line for said in LEARNED.values() for line in said]
    assert {kind for line in lines for _, kind in MARKED.findall(line)} == set(DOMAIN["entities"])
    assert [line for line in lines if "](" in MARKED.sub("", line)] == []


def test_the_vectors_of_nearly_all_sentences_are_shipped() -> None:
    """A set-up that must make more than a tenth of them waits too long: `python -m nlu.sentences` writes them anew."""
    with np.load(BOT / "nlu" / "vectors.npz") as shipped:
        assert len(shipped["keys"]) >= 0.9 * len({line for said in LEARNED.values() for line in said})


def test_every_cry_names_its_danger_by_a_sentence_that_there_is() -> None:
    blocks = [block for block in yaml.safe_load((BOT / "nlu" / "emergencies.yml").read_text(encoding="utf-8"))["nlu"]]
    assert blocks and all(f"utter_{block['metadata']['danger']}" in DOMAIN["responses"] for block in blocks)


def test_every_dialogue_has_a_name_of_its_own_and_something_to_check() -> None:
    names = [dialogue["name"] for dialogue in load()]
    assert len(names) == len(set(names))
    assert all(d.get("calls") or any({"hears", "not", "first"} & set(turn) for turn in d["turns"]) for d in load())


def test_no_sentence_that_measures_is_taught() -> None:
    """Greetings and the like are alike everywhere; what is long enough to be put in one's own words must be."""
    measuring = {plain(line) for file in DATA.glob("understanding*.yml")
                 for part in ("said", "annotated") for lines in read(file).get(part, {}).values() for line in lines}
    measuring |= {plain(line) for name in ("danger.yml", "danger_second.yml") for halves in read(DATA / name).values()
                  for lines in halves.values() for line in lines}
    measuring |= {plain(line) for lines in read(DATA / "danger_kinds.yml").values() for line in lines}
    taught = {plain(line) for lines in LEARNED.values() for line in lines}
    assert sorted(line for line in taught & measuring if len(line) > 8) == []


def read(file: Path) -> dict[str, dict[str, list[str]]]:
    """A set of sentences to measure with."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def plain(line: str) -> str:
    """Without marks of entities, punctuation and case."""
    return re.sub(r"[\W_]", "", MARKED.sub(r"\1", line)).lower()
