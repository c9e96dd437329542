"""PDF documents with text to blocks, line by line, their tables where they stand on the page."""

import io
from typing import Any

from core.errors import Invalid
from knowledge_base.documents.blocks import Block, Line, Table

MOST_PAGES = 200
LEAST_TEXT = 20
"""Characters; a document with less is a picture of one."""


def read_pdf(name: str, content: bytes) -> list[Block]:
    """Lines and tables from top to bottom, page by page."""
    import pdfplumber
    from pdfplumber.utils.exceptions import PdfminerException

    try:
        with pdfplumber.open(io.BytesIO(content)) as document:
            if len(document.pages) > MOST_PAGES:
                raise Invalid(f"{name}：超过{MOST_PAGES}页，请拆开再导入")
            blocks = [block for page in document.pages for block in _page(page)]
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


def _page(page: Any) -> list[Block]:
    tables = page.find_tables()
    outside = page
    for table in tables:
        outside = outside.outside_bbox(table.bbox, strict=False)
    placed: list[tuple[float, Block]] = [(line["top"], Line(line["text"])) for line in outside.extract_text_lines()]
    placed += [(table.bbox[1], Table([[cell or "" for cell in row] for row in table.extract()])) for table in tables]
    return [block for _, block in sorted(placed, key=lambda each: each[0])]


def _text(block: Block) -> str:
    return block.text if isinstance(block, Line) else "".join(cell for row in block.rows for cell in row)
