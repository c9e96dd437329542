"""All data files of the knowledge base, read whole."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from knowledge_base import asking, compose
from knowledge_base.guide import FIELD_NAMES, PRESETS, PUBLIC_NAMES
from knowledge_base.library import shipped
from knowledge_base.shelf import Weights, default_weights, settings, synonyms

QUESTIONS = yaml.safe_load((Path(__file__).parents[1] / "data" / "questions.yml").read_text("utf-8"))
PUBLIC = {PUBLIC_NAMES.get(name, name) for name in FIELD_NAMES} | {"overview"}


def test_every_word_for_a_field_belongs_to_a_field() -> None:
    assert set() == set(asking.asking()) - set(asking.GROUPS) - set(FIELD_NAMES) - {"limit"}


def test_no_word_asks_for_two_fields() -> None:
    words = Counter(word for group, told in asking.asking().items() if group not in asking.GROUPS for word in set(told))
    assert [] == [word for word, count in words.items() if count > 1]


def test_synonyms_have_two_characters_and_lead_somewhere() -> None:
    assert [] == [word for word, others in synonyms().items() if not others or not word]


@pytest.mark.parametrize("vectors", [True, False], ids=["vectors", "words alone"])
def test_weights_are_complete(vectors: bool) -> None:
    assert isinstance(default_weights(vectors), Weights)
    key = "threshold" if vectors else "threshold_without_vectors"
    assert {"lead", "elsewhere", "answer", "self_evident", "clarify_margin", "candidate"} == set(settings()[key])


def test_every_sentence_is_text() -> None:
    assert [] == [key for key, text in compose.texts().items() if key != "fields" and not isinstance(text, str)]


def test_matters_of_other_offices_are_listed_for_each_preset() -> None:
    assert all(asking.belongs_elsewhere(question, preset) for preset, question in
               {"property": "护照", "hall": "商标注册", "hospital": "植发"}.items())
    assert asking.belongs_elsewhere("居住证", "hall") is None


def test_there_are_questions_for_every_shipped_guide_and_enough_without_one() -> None:
    covered = QUESTIONS["covered"]
    assert [] == [each.guide.slug for each in shipped() if len(covered[each.guide.preset].get(each.guide.slug, [])) < 6]
    assert sum(len(told) for guides in covered.values() for told in guides.values()) >= 500
    assert sum(map(len, QUESTIONS["uncovered"].values())) >= 150
    assert set(PRESETS) == set(covered) == set(QUESTIONS["uncovered"])


def test_questions_name_fields_that_answers_know() -> None:
    names = {line.split("|")[0].strip() for guides in QUESTIONS["covered"].values() for told in guides.values() for line in told}
    assert set() == names - PUBLIC - {"-"}


def test_no_question_is_copied_from_a_guide() -> None:
    faqs = {each.question.rstrip("？?") for imported in shipped() for each in imported.guide.faq}
    asked = {line.split("|", 1)[1].strip() for guides in QUESTIONS["covered"].values() for told in guides.values() for line in told}
    assert set() == faqs & asked
