"""Open questions about one thing are one theme, however they were asked."""

from datetime import UTC, datetime

import pytest

from knowledge_base.tables import Unanswered
from knowledge_base.themes import alike, group, theme_of

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)


def rows(*questions: str) -> list[Unanswered]:
    return [Unanswered(id=number, question=question, asked_at=NOW) for number, question in enumerate(questions, 1)]


def test_the_most_asked_theme_comes_first_and_no_question_is_lost() -> None:
    asked = rows("图书馆几点开门", "美国签证怎么办", "去美国的签证要什么材料", "取保候审", "美国签证怎么办", "办美国签证多少钱")
    themes = group(asked)
    assert ("美国签证怎么办", [2, 3, 5, 6]) == (themes[0].question, [row.id for row in themes[0].rows])
    assert sorted(row.id for theme in themes for row in theme.rows) == [1, 2, 3, 4, 5, 6]
    assert [1, 1] == [len(theme.rows) for theme in themes[1:]]


def test_asking_for_the_same_field_makes_no_theme() -> None:
    assert 3 == len(group(rows("滑雪场要带什么材料", "养马场要带什么材料", "天文台要带什么材料")))


def test_writing_does_not_matter() -> None:
    assert 1 == len(group(rows("美國簽證 怎麼辦？", "美国签证怎么办?")))


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        pytest.param("居住证多久能拿到", "居住证要多久才能拿到啊", True, id="the same in other words"),
        pytest.param("居住证多久能拿到", "户口迁移要多久", False, id="another matter"),
        pytest.param("……", "居住证", False, id="nothing said"),
    ],
)
def test_how_near_two_questions_are(one: str, other: str, near: bool) -> None:
    assert near is (alike(one, other) >= 0.6)


def test_the_theme_of_a_question_is_found() -> None:
    asked = rows("美国签证怎么办", "取保候审", "美国签证要什么材料")
    found = theme_of(asked, 3)
    assert found is not None and [1, 3] == [row.id for row in found.rows]
    assert theme_of(asked, 99) is None
