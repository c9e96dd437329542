"""Excel workbooks: the first row of a sheet names the fields, each row below it is a guide."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from core.errors import Invalid
from knowledge_base.documents.blocks import property_of, with_front
from knowledge_base.guide import HEADINGS, field_of

MOST_ROWS = 2000
MOST_COLUMNS = 60


def read_xlsx(name: str, content: bytes) -> list[tuple[str, str]]:
    """(where it stands, Markdown) of each guide; columns that are no field are told as left out by the importer."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = [(sheet.title, [list(row) for row in sheet.iter_rows(
            max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS, values_only=True)]) for sheet in book.worksheets]
    except Exception as error:
        # The library lets whatever its parts raise through; for the office it is one thing: the file is broken.
        raise Invalid(f"{name}：打不开，文件可能已损坏，请用 Excel 重新保存再导入") from error
    guides = [guide for title, rows in sheets for guide in _read_sheet(name, title, rows)]
    if not guides:
        raise Invalid(f"{name}：没有找到指南，表格第一行应当是“事项名称、申请材料……”这样的栏目名")
    return guides


def _read_sheet(name: str, sheet: str, rows: Sequence[Sequence[Any]]) -> list[tuple[str, str]]:
    start = next((at for at, row in enumerate(rows[:10]) if "title" in map(property_of, map(_text, row))), None)
    if start is None:
        return []
    if len(rows) - start - 1 > MOST_ROWS:
        raise Invalid(f"{name}：工作表“{sheet}”超过{MOST_ROWS}行，请拆成几个文件再导入")
    head = [_text(cell) for cell in rows[start]]
    return [(f"{name} · {sheet} 第{number}行", _markdown(head, [_text(cell) for cell in row]))
            for number, row in enumerate(rows[start + 1 :], start + 2) if any(map(_text, row))]


def _markdown(head: Sequence[str], row: Sequence[str]) -> str:
    front: dict[str, Any] = {}
    body: list[str] = []
    for name, value in zip(head, row, strict=False):
        if not name or not value:
            continue
        key = property_of(name)
        if key is not None:
            front.setdefault(key, value)
            continue
        field = field_of(name)
        body += [f"## {HEADINGS[field] if field else name}", "", _faq(value) if field == "faq" else _plain(value), ""]
    overview = _plain(front.pop("overview", ""))
    front.setdefault("slug", front.get("title", ""))
    return with_front(front, "\n".join([f"# {front.get('title', '')}", "", overview, "", *body]))


def _faq(value: str) -> str:
    """Questions and answers line by line: a line that ends in a question mark, or begins with 问, is a question."""
    lines = []
    for line in filter(None, map(str.strip, value.split("\n"))):
        said = line[2:].strip() if line[:2] in ("问：", "问:", "答：", "答:") else line
        asked = line.startswith("问") or (not line.startswith("答") and line.endswith(("？", "?")))
        lines.append(f"### {said}" if asked else said.lstrip("#"))
    return "\n".join(lines)


def _plain(value: str) -> str:
    """A cell's line is no heading of Markdown, whatever it begins with."""
    return "\n".join(line.strip().lstrip("#") for line in value.split("\n"))


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
