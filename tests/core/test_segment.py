"""One way to cut Chinese text for all search."""

import pytest

from core.segment import fold, terms, words


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        pytest.param("居住證", "居住证", id="traditional"),
        pytest.param("ＡＰＰ１２", "app12", id="full-width"),
        pytest.param("頭髮乾淨", "头发干净", id="one simplified form for several"),
    ],
)
def test_one_text_has_one_form(written: str, plain: str) -> None:
    assert plain == fold(written)


def test_two_character_words_are_found_inside_a_sentence() -> None:
    assert "停水" in terms("明天上午停水吗")


def test_latin_words_and_numbers_stay_whole() -> None:
    assert ["abc-12", "3.5"] == [term for term in terms("ABC-12的费用3.5") if term.isascii()]


def test_traditional_and_simplified_text_have_the_same_terms() -> None:
    assert terms("居住证到期") == terms("居住證到期")


def test_punctuation_and_nothing_give_no_terms() -> None:
    assert [] == terms("，。！？ …") == terms("") == words("")
