"""Blank forms of a guide: the office's own files, and for the sample guides a sample that is made on the spot."""

import asyncio
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge_base.guide import Guide
from service.settings import Settings

FOLDER = "forms"
"""Under `data_dir`: forms/<preset>/<slug>/<name>.pdf. Whatever lies there can be downloaded by everybody."""
TYPES = {
    ".pdf": "application/pdf",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BLANKS = ("姓名（单位名称）", "身份证件号码", "联系电话", "住址", "申请事项", "情况说明", "随附材料", "申请人签名", "日期")
SAMPLE_LINE = "示例空白表，供试用时练习填写；正式办理以本单位发布的表格为准。"

_NAMED = re.compile(r"《([^《》/\\]{2,60})》")


@dataclass(frozen=True)
class Form:
    """A form that can be downloaded; `path` is None for a sample that is made on demand."""

    name: str
    file_name: str
    path: Path | None

    @property
    def type(self) -> str:
        return TYPES[Path(self.file_name).suffix.lower()]


def find_forms(settings: Settings, guide: Guide, sample: bool) -> list[Form]:
    """The office's files, by name; a sample guide without any offers the forms that it names."""
    folder = settings.data_dir / FOLDER / guide.preset / guide.slug
    own = [Form(path.stem, path.name, path) for path in _files(folder)]
    if own or not sample:
        return own
    named = dict.fromkeys(_NAMED.findall(guide.fields.get("forms", "")))
    return [Form(name, f"{name}.docx", None) for name in named]


def _files(folder: Path) -> Sequence[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    return [path for path in found if path.suffix.lower() in TYPES and path.is_file() and not path.is_symlink()
            and not path.name.startswith((".", "~$"))]


async def read_form(form: Form, guide: Guide) -> bytes:
    """The file's bytes."""
    return await asyncio.to_thread(form.path.read_bytes if form.path else lambda: _make_sample(form.name, guide))


def _make_sample(name: str, guide: Guide) -> bytes:
    import docx  # Loaded when somebody wants a form, not at the start.

    document = docx.Document()
    document.add_heading(name, 1)
    document.add_paragraph(f"事项：{guide.title}　　{SAMPLE_LINE}")
    table = document.add_table(len(BLANKS), 2, style="Table Grid")
    for row, blank in zip(table.rows, BLANKS, strict=True):
        row.cells[0].text = blank
        row.cells[1].text = guide.title if blank == "申请事项" else ""
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
