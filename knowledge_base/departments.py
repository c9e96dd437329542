"""Which department a complaint leads to: the row of the approved table in the guide which-department, nothing else."""

import re

from core.segment import fold
from knowledge_base import compose
from knowledge_base.asking import asking, holds
from knowledge_base.guide import Guide, Section
from knowledge_base.shelf import synonyms

CHILDREN = "儿科"
AT_MOST = 2
"""Rows of one answer."""

_APART = re.compile(r"[、，,；;/（）()或和\s]+")


def rows_for(guide: Guide, question: str) -> list[tuple[Section, list[str], str]]:
    """(section, cells, the row as it stands) of the complaints the question tells: the row that shares most with it
    first, then those that share another complaint (头晕，耳朵嗡嗡响 is two). Empty where none does.

    A child goes to the children's department, but for what the office sends to a special department at any age.
    """
    said = _said(question)
    shared = [([word for word in _APART.split(_plain(row[0])) if len(word) > 1 and word in said], (section, row, line))
              for section, row, line in _rows(guide)]
    shared = sorted((each for each in shared if each[0]), key=lambda each: -sum(map(len, each[0])))
    if not shared:
        return []
    told, found = set(shared[0][0]), [shared[0][1]]
    for words, row in shared[1:]:
        # 头痛 of 剧烈头痛 is the same complaint.
        if len(found) < AT_MOST and not any(word in other or other in word for word in words for other in told):
            told.update(words)
            found.append(row)
    if holds(question, "child") and not _any_age(found[0][1]):
        return [next((row for row in _rows(guide) if row[1][1].startswith(CHILDREN)), found[0])]
    return found


def _rows(guide: Guide) -> list[tuple[Section, list[str], str]]:
    return [(section, row, line) for section in guide.sections() for line in section.text.split("\n")
            if line.lstrip().startswith("|") and len(row := compose.cells(line)) > 1
            and row in compose.rows(section.text)]


def _any_age(row: list[str]) -> bool:
    return "120" in row[1] or any(department in row[1] for department in asking()["any_age"])


def _said(question: str) -> str:
    """The question and, besides, the table's words for the resident's."""
    plain = _plain(question)
    return " ".join([plain, *(_plain(other) for word, others in synonyms().items() if _plain(word) in plain
                              for other in others)])


def _plain(text: str) -> str:
    return fold(text).replace("疼", "痛")
