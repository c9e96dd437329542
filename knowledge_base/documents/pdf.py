"""PDF documents with text to blocks, line by line, their tables where they stand on the page."""

import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from core.errors import Invalid
from knowledge_base.documents.blocks import Block, Line, Table

MOST_PAGES = 200
LEAST_TEXT = 20
"""Characters; a document with less is a picture of one."""

_PAGE_NUMBER = re.compile(r"^(?:第\s*\d+\s*页.*|[-–—]?\s*\d+\s*[-–—]?|\d+\s*/\s*\d+)$")
_BEGINS_ANEW = re.compile(r"^(?:[•●▪■◆·\-–]|[（(]?[\d一二三四五六七八九十]+[)）、.．]|[问答][：:])")
_BULLET = re.compile(r"^[•●▪■◆·]\s*")


def read_pdf(name: str, content: bytes) -> list[Block]:
    """Lines and tables from top to bottom, page by page."""
    import pdfplumber
    from pdfplumber.utils.exceptions import PdfminerException

    try:
        with pdfplumber.open(io.BytesIO(content)) as document:
            if len(document.pages) > MOST_PAGES:
                raise Invalid(f"{name}：超过{MOST_PAGES}页，请拆开再导入")
            blocks = _join_pages(_page(page) for page in document.pages)
    except Invalid:
        raise
    except Exception as error:
        cause = error.args[0] if isinstance(error, PdfminerException) and error.args else error
        if "Password" in type(cause).__name__ or "Encryption" in type(cause).__name__:
            raise Invalid(f"{name}：文件加了密，请去掉密码再导入") from error
        raise Invalid(f"{name}：打不开，文件可能已损坏，请重新导出 PDF 再导入") from error
    if sum(len(_text(block)) for block in blocks) < LEAST_TEXT:
        raise Invalid(f"{name}：里面没有文字，可能是扫描件，请用带文字的版本再导入")
    return blocks


def _join_pages(pages: Iterable[tuple[list[Block], bool]]) -> list[Block]:
    """One document: a paragraph that a page's end breaks goes on on the next."""
    blocks: list[Block] = []
    goes_on = False
    for found, unfinished in pages:
        if goes_on and found and isinstance(blocks[-1], Line) and isinstance(found[0], Line) \
                and found[0].level == blocks[-1].level and not _BEGINS_ANEW.match(found[0].text):
            blocks[-1] = Line(_join(blocks[-1].text, found[0].text), blocks[-1].level)
            found = found[1:]
        blocks += found
        goes_on = unfinished and bool(blocks)
    return blocks


def _page(page: Any) -> tuple[list[Block], bool]:
    """The page's blocks from top to bottom, and whether its last line runs up to the edge without an end."""
    tables = page.find_tables()
    outside = page
    for table in tables:
        outside = outside.outside_bbox(table.bbox, strict=False)
    lines = [line for line in outside.extract_text_lines()
             if line["text"].strip() and not _PAGE_NUMBER.match(line["text"].strip())]
    placed = _paragraphs(lines)
    placed += [(table.bbox[1], Table([[_cell(cell or "") for cell in row] for row in table.extract()])) for table in tables]
    blocks = [block for _, block in sorted(placed, key=lambda each: each[0])]
    right = max((line["x1"] for line in lines), default=0.0)
    return blocks, bool(lines) and isinstance(blocks[-1], Line) and _is_full(lines[-1], right)


def _paragraphs(kept: Sequence[dict[str, Any]]) -> list[tuple[float, Block]]:
    """Lines joined to paragraphs: one that ends at the right edge goes on in the next of the same size."""
    if not kept:
        return []
    sizes = Counter(_size(line) for line in kept for _ in line["text"])
    body, right = sizes.most_common(1)[0][0], max(line["x1"] for line in kept)
    found: list[tuple[float, Block]] = []
    before: dict[str, Any] | None = None
    for line in kept:
        text = _BULLET.sub("- ", line["text"].strip())
        if before is not None and _goes_on(before, line, right):
            top, block = found[-1]
            assert isinstance(block, Line)
            found[-1] = (top, Line(_join(block.text, text), block.level))
        else:
            found.append((line["top"], Line(text, _level(_size(line) / body))))
        before = line
    return found


def _goes_on(before: dict[str, Any], line: dict[str, Any], right: float) -> bool:
    size = _size(before)
    near = line["top"] - before["bottom"] < size
    return _is_full(before, right) and near and _size(line) == size and not _BEGINS_ANEW.match(line["text"].strip())


def _is_full(line: dict[str, Any], right: float) -> bool:
    """Whether a line was broken at the page's edge; one that ends a sentence must come very near to it."""
    ended = line["text"].rstrip().endswith(("。", "！", "？", "；", ".", "：", ":"))
    return bool(line["x1"] > right - (1.5 if ended else 3.5) * _size(line))


def _cell(text: str) -> str:
    """A cell's lines joined where they are as long as the cell is wide."""
    lines = text.split("\n")
    longest = max(map(len, lines))
    joined = lines[0]
    for before, line in itertools.pairwise(lines):
        wrapped = len(before) >= longest - 1 and not before.endswith(("。", "；"))
        joined = _join(joined, line) if wrapped and len(lines) > 1 else f"{joined}\n{line}"
    return joined


def _join(one: str, other: str) -> str:
    """Between Latin words stands a space, between Chinese ones nothing."""
    latin = one[-1:].isascii() and other[:1].isascii() and one[-1:].isalnum() and other[:1].isalnum()
    return f"{one} {other}" if latin else one + other


def _size(line: dict[str, Any]) -> float:
    return round(float(line["chars"][0]["size"]), 1)


def _level(ratio: float) -> int:
    """A heading is written larger; the largest is the title."""
    return 1 if ratio >= 1.4 else 2 if ratio >= 1.1 else 0


def _text(block: Block) -> str:
    return block.text if isinstance(block, Line) else "".join(cell for row in block.rows for cell in row)
