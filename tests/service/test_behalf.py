"""For whom somebody speaks, called or written: the same sentence says the same in both."""

import sys
from pathlib import Path

import pytest
import yaml

from channels.transcripts import Turn
from service.hearing import hear
from service.hearing.behalf import find_behalf

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from actions import behalf

ROWS: dict[str, list[tuple[str, str | None]]] = {
    part: [(text, who) for text, who in rows]
    for part, rows in yaml.safe_load((Path(__file__).parents[1] / "data" / "behalf.yml").read_text("utf-8")).items()
}


def called(text: str) -> str | None:
    turns = [Turn(speaker="agent", text="您好，请讲", start_s=0, end_s=1), Turn(speaker="caller", text=text, start_s=1, end_s=2)]
    found = find_behalf(hear(turns))
    return found.value if found else None


@pytest.mark.parametrize(("text", "who"), ROWS["tuned"], ids=lambda value: str(value)[:12])
def test_who_is_spoken_for_is_told_from_who_helps_forbids_or_is_complained_about(text: str, who: str | None):
    assert (called(text), behalf.find_behalf(text)) == (who, who)


def test_nobody_is_invented_in_sentences_the_rules_were_not_written_for_and_most_are_found():
    found = [(who, called(text), text) for text, who in ROWS["apart"]]
    assert [text for who, heard, text in found if heard not in (None, who)] == []
    assert sum(who is not None and heard == who for who, heard, _ in found) >= 14


@pytest.mark.parametrize("text", [text for rows in ROWS.values() for text, _ in rows], ids=lambda value: value[:12])
def test_who_writes_and_who_calls_is_understood_alike(text: str):
    assert called(text) == behalf.find_behalf(text)


def test_a_company_is_what_turned_to_the_office_and_a_mother_is_not():
    assert behalf.is_organisation("公司") and behalf.is_organisation("店") and not behalf.is_organisation("妈妈")
