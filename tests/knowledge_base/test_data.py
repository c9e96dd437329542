"""All data files of the knowledge base, read whole."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from knowledge_base import asking, compose, phrases
from knowledge_base.guide import FIELD_NAMES, PRESETS, PUBLIC_NAMES
from knowledge_base.library import shipped
from knowledge_base.shelf import Weights, default_weights, settings, synonyms

DATA = Path(__file__).parents[1] / "data"
PHRASES = yaml.safe_load((Path(phrases.__file__).parent / "phrases.yml").read_text("utf-8"))
SETS = {name: yaml.safe_load((DATA / name).read_text("utf-8")) for name in ("questions.yml", "questions_apart.yml")}
PUBLIC = {PUBLIC_NAMES.get(name, name) for name in FIELD_NAMES} | {"overview"}


def test_every_word_for_a_field_belongs_to_a_field() -> None:
    assert set() == set(asking.asking()) - set(asking.GROUPS) - set(FIELD_NAMES) - {"limit"}


def test_no_word_asks_for_two_fields() -> None:
    words = Counter(word for group, told in asking.asking().items() if group not in asking.GROUPS for word in set(told))
    assert [] == [word for word, count in words.items() if count > 1]


def test_synonyms_have_two_characters_and_lead_somewhere() -> None:
    assert [] == [word for word, others in synonyms().items() if not others or not word]


@pytest.mark.parametrize("kind", ["", "_without_vectors", "_of_bare_questions"])
def test_weights_and_thresholds_are_complete(kind: str) -> None:
    assert isinstance(default_weights(kind), Weights)
    assert {"lead", "elsewhere", "answer", "self_evident", "clarify_margin", "clear", "tie", "candidate"} == set(
        settings()[f"threshold{kind}"])


def test_every_sentence_is_text() -> None:
    assert [] == [key for key, text in compose.texts().items() if key != "fields" and not isinstance(text, str)]


def test_matters_of_other_offices_are_listed_for_each_preset() -> None:
    assert all(asking.belongs_elsewhere(question, preset) for preset, question in
               {"property": "护照", "hall": "商标注册", "hospital": "植发"}.items())
    assert asking.belongs_elsewhere("居住证", "hall") is None


def lines(name: str) -> list[list[str]]:
    """The parts of each covered question of a set: field, question, other guides."""
    return [[part.strip() for part in line.split("|")]
            for guides in SETS[name]["covered"].values() for told in guides.values() for line in told]


@pytest.mark.parametrize("name", SETS)
def test_there_are_questions_for_every_shipped_guide_and_enough_without_one(name: str) -> None:
    covered = SETS[name]["covered"]
    assert [] == [each.guide.slug for each in shipped() if len(covered[each.guide.preset].get(each.guide.slug, [])) < 6]
    assert sum(len(told) for guides in covered.values() for told in guides.values()) >= 500
    assert sum(map(len, SETS[name]["uncovered"].values())) >= 150
    assert set(PRESETS) == set(covered) == set(SETS[name]["uncovered"])


@pytest.mark.parametrize("name", SETS)
def test_questions_name_fields_and_guides_that_there_are(name: str) -> None:
    assert set() == {field for field, *_ in lines(name)} - PUBLIC - {"-"}
    others = {slug for _, _, *also in lines(name) for slug in ",".join(also).split(",") if slug}
    assert set() == others - {each.guide.slug for each in shipped()}


@pytest.mark.parametrize("name", SETS)
def test_no_question_is_copied_from_a_guide(name: str) -> None:
    faqs = {each.question.rstrip("？?") for imported in shipped() for each in imported.guide.faq}
    assert set() == faqs & {question for _, question, *_ in lines(name)}


def test_the_held_out_questions_stand_neither_in_the_other_set_nor_among_the_phrases() -> None:
    apart = SETS["questions_apart.yml"]
    held = {line.split("|")[1].strip() for guides in apart["covered"].values() for told in guides.values()
            for line in told[1::2]} | {line for told in apart["uncovered"].values() for line in told[1::2]}
    known = {question for _, question, *_ in lines("questions.yml")}
    known |= {line for told in SETS["questions.yml"]["uncovered"].values() for line in told}
    phrases = {phrase for guides in PHRASES.values() for told in guides.values() for phrase in told if len(phrase) > 5}
    assert set() == held & (known | phrases)


def test_phrases_lead_to_shipped_guides_and_none_to_two_of_one_preset() -> None:
    shelves = {(each.guide.preset, each.guide.slug) for each in shipped()}
    assert shelves == {(preset, slug) for preset in PRESETS for slug in PHRASES[preset]}
    for preset in PRESETS:
        told = Counter(phrase for many in PHRASES[preset].values() for phrase in many)
        assert [] == [phrase for phrase, count in told.items() if count > 1]


def test_all_phrases_are_text() -> None:
    assert [] == [phrase for guides in PHRASES.values() for told in guides.values() for phrase in told
                  if not isinstance(phrase, str) or not phrase.strip()]
