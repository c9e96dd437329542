"""Which department a complaint leads to: the row of the approved table in the guide which-department, nothing else."""

import re

from core.segment import fold
from knowledge_base import compose
from knowledge_base.asking import asking, holds
from knowledge_base.guide import Guide, Section
from knowledge_base.shelf import synonyms

CHILDREN = "儿科"

_APART = re.compile(r"[、，,；;/（）()或和\s]+")


def row_for(guide: Guide, question: str) -> tuple[Section, list[str], str] | None:
    """(section, cells, the row as it stands) whose complaints share most with the question; None where none does.

    A child goes to the children's department, but for what the office sends to a special department at any age.
    """
    said, most = _said(question), 0
    found: tuple[Section, list[str], str] | None = None
    for section, row, line in _rows(guide):
        shared = sum(len(word) for word in _APART.split(_plain(row[0])) if len(word) > 1 and word in said)
        if shared > most:
            most, found = shared, (section, row, line)
    if found is not None and holds(question, "child") and not _any_age(found[1]):
        return next(((section, row, line) for section, row, line in _rows(guide) if row[1].startswith(CHILDREN)), found)
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
