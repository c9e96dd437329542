"""Word documents to blocks: .docx by its headings and tables, .doc through the program antiword."""

import io
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

from core.errors import Invalid
from knowledge_base.documents.blocks import Block, Line, Table
from knowledge_base.guide import field_of

SECONDS = 30
"""How long antiword may take."""
WIDE = 2
"""Empty lines above a heading, where antiword tells it from a paragraph."""

_STYLE = re.compile(r"(?:heading|标题)\s*(\d)", re.I)


def read_docx(name: str, content: bytes) -> list[Block]:
    """The paragraphs and tables in the order of the document."""
    import docx

    try:
        return list(_blocks(docx.Document(io.BytesIO(content))))
    except Exception as error:
        # The library lets whatever its parts raise through; for the office it is one thing: the file is broken.
        raise Invalid(f"{name}：打不开，文件可能已损坏，请用 Word 重新保存再导入") from error


def read_doc(name: str, content: bytes) -> list[Block]:
    """The text of an old Word document, line by line."""
    program = shutil.which("antiword")
    if program is None:
        raise Invalid(f"{name}：读旧版 .doc 需要安装 antiword，或者用 Word 另存为 .docx 再导入")
    try:
        done = subprocess.run([program, "-w", "0", "-m", "UTF-8.txt", "-"], input=content, capture_output=True,
                              timeout=SECONDS, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise Invalid(f"{name}：打不开，文件可能已损坏或加密，请用 Word 另存为 .docx 再导入") from error
    return list(_lines_and_tables(done.stdout.decode("utf-8", "replace").splitlines()))


def _lines_and_tables(lines: Iterable[str]) -> Iterator[Block]:
    """antiword writes a table's row between bars, and a heading as a line with more room above it than others."""
    rows: list[list[str]] = []
    texts = [(text.strip(), gap) for text, gap in _with_gaps(lines)]
    spaced = _headings_are_spaced(texts)
    for at, (text, gap) in enumerate((*texts, ("", 0))):
        if text.startswith("|") and text.endswith("|"):
            rows.append([cell.strip() for cell in text.strip("|").split("|")])
            continue
        if rows:
            yield Table(rows)
            rows = []
        if text:
            heading = spaced and gap >= WIDE and _is_short(text)
            yield Line(text, (2 if at else 1) if heading else 0)


def _with_gaps(lines: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each line that says something, with the number of empty ones above it."""
    gap = 0
    for text in lines:
        if text.strip():
            yield text, gap
        gap = 0 if text.strip() else gap + 1


def _headings_are_spaced(texts: Iterable[tuple[str, int]]) -> bool:
    """Whether this document sets its headings apart: then unknown ones are headings too."""
    gaps = [gap for text, gap in texts if field_of(text)]
    return len(gaps) >= 3 and sum(gap >= WIDE for gap in gaps) * 2 > len(gaps)


def _is_short(text: str) -> bool:
    return len(text) <= 30 and not text.endswith(("。", "；", "，", "："))


def _blocks(document: object) -> Iterator[Block]:
    from docx.table import Table as WordTable

    lists = _Lists(document)
    for item in document.iter_inner_content():  # type: ignore[attr-defined]
        if isinstance(item, WordTable):
            yield Table([[cell.text for cell in row.cells] for row in item.rows])
        elif item.text.strip():
            level = _level(item.style.name if item.style else "")
            yield Line(item.text if level else lists.mark(item) + item.text, level)


class _Lists:
    """Word writes no numbers into its lists; they are counted here."""

    def __init__(self, document: object) -> None:
        part: Any = getattr(document, "part", None)
        try:
            self._numbering: Any = part.numbering_part.element
        except (KeyError, NotImplementedError, AttributeError):
            self._numbering = None
        self._counts: dict[tuple[str, str], int] = {}

    def mark(self, paragraph: Any) -> str:
        """`1. ` or `- ` for a paragraph of a list, nothing for another."""
        own = paragraph._p.pPr
        of_style = paragraph.style.element.pPr if paragraph.style is not None else None
        found: Any = next((each.numPr for each in (own, of_style) if each is not None and each.numPr is not None), None)
        number = found.numId.val if found is not None and found.numId is not None else 0
        if not number or self._numbering is None:
            return ""
        level = str(found.ilvl.val if found.ilvl is not None else 0)
        if self._format(str(number), level) in ("bullet", "none"):
            return "- "
        key = (str(number), level)
        self._counts[key] = self._counts.get(key, 0) + 1
        return f"{self._counts[key]}. "

    def _format(self, number: str, level: str) -> str:
        """The format of one level of one list; a list that is not described is a plain one."""
        found = self._numbering.xpath(
            f"./w:abstractNum[@w:abstractNumId=../w:num[@w:numId='{number}']/w:abstractNumId/@w:val]"
            f"/w:lvl[@w:ilvl='{level}']/w:numFmt/@w:val"
        )
        return str(found[0]) if found else "bullet"


def _level(style: str) -> int:
    if style in ("Title", "标题"):
        return 1
    found = _STYLE.match(style)
    return int(found[1]) if found else 0
