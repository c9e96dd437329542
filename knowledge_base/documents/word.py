"""Word documents to blocks: .docx by its headings and tables, .doc through the program antiword."""

import io
import re
import shutil
import subprocess
from collections.abc import Iterator

from core.errors import Invalid
from knowledge_base.documents.blocks import Block, Line, Table

SECONDS = 30
"""How long antiword may take."""

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
    return [_line(text) for text in done.stdout.decode("utf-8", "replace").splitlines() if text.strip()]


def _blocks(document: object) -> Iterator[Block]:
    from docx.table import Table as WordTable

    for item in document.iter_inner_content():  # type: ignore[attr-defined]
        if isinstance(item, WordTable):
            yield Table([[cell.text for cell in row.cells] for row in item.rows])
        elif item.text.strip():
            yield Line(item.text, _level(item.style.name if item.style else ""))


def _level(style: str) -> int:
    if style in ("Title", "标题"):
        return 1
    found = _STYLE.match(style)
    return int(found[1]) if found else 0


def _line(text: str) -> Block:
    """antiword writes a table's row between bars."""
    if text.strip().startswith("|") and text.strip().endswith("|"):
        return Line("：".join(cell.strip() for cell in text.strip().strip("|").split("|") if cell.strip()))
    return Line(text)
