"""From a path to guides: a document, a folder or a zip of them, within limits; each refusal is one sentence."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from core.errors import Invalid
from knowledge_base.documents import blocks, pdf, sheet, word
from knowledge_base.guide import PRESETS
from knowledge_base.importer import Imported, import_markdown

LARGEST = 50 * 1024 * 1024
"""Bytes of a document, as it comes and as a zip's entry."""
LARGEST_UNPACKED = 200 * 1024 * 1024
MOST_FILES = 1000
MOST_PARTS = 5000
"""Files inside a zip, a Word or an Excel document."""
HIGHEST_RATIO = 200
"""Times a zip may grow; texts of offices grow 5 to 20 times."""
RATIO_FROM = 1024 * 1024
"""Below this size unpacked nothing can harm, however well it was packed."""

LAYERS = 2
_STREAM = re.compile(rb"stream\r?\n(?=[\x08-\x78])")
_OLE = b"\xd0\xcf\x11\xe0"
_MACRO_STORE = "_VBA_PROJECT".encode("utf-16-le")
"""How an old document names the part that holds its macros."""
_MACROS = (".docm", ".xlsm", ".dotm", ".xltm", ".xlsb")


@dataclass(frozen=True)
class Refused:
    """A document, or a row of one, that was not taken, and the sentence that says why and what to do."""

    source: str
    reason: str


Told = Callable[[int, int, str], None]
"""(number, how many, name): said before each document is read."""

Reader = Callable[[str, bytes], list[tuple[str, str]]]
"""(name, content) → (where it stands, Markdown) of each guide in it."""


def read_documents(path: Path, preset: str | None = None, tell: Told = lambda *_: None) -> list[Imported | Refused]:
    """Everything at this path, in the order of names; nothing is stored. `preset` is for documents that
    name none and lie in no folder named after one.
    """
    results: list[Imported | Refused] = []
    try:
        for number, (total, name, content) in enumerate(_contents(path), 1):
            tell(number, total, name)
            results += _read_one(name, content, preset)
    except Invalid as error:
        # Limits of the whole are checked before the first document is read: none of it was taken.
        return [Refused(path.name, error.detail)]
    return _without_doubles(results) or [Refused(path.name, f"{path.name}：里面没有可以导入的文件")]


def _contents(path: Path) -> Iterator[tuple[int, str, bytes | Invalid]]:
    """How many documents there are, and the name and bytes of each."""
    if path.is_dir():
        files = [each for each in sorted(path.rglob("*")) if each.is_file() and not each.is_symlink()
                 and not _is_aside(each.relative_to(path).as_posix())]
        if len(files) > MOST_FILES:
            raise Invalid(f"{path.name}：超过{MOST_FILES}个文件，请分几次导入")
        for file in files:
            yield len(files), file.relative_to(path).as_posix(), _bytes(file)
    elif path.suffix.lower() == ".zip":
        content = _bytes(path)
        if isinstance(content, Invalid):
            raise content
        yield from _unpack(path.name, content)
    else:
        yield 1, path.name, _bytes(path)


def _bytes(path: Path) -> bytes | Invalid:
    try:
        if path.stat().st_size > LARGEST:
            return Invalid(f"{path.name}：超过50MB，请去掉图片或拆开再导入")
        return path.read_bytes()
    except OSError:
        return Invalid(f"{path.name}：找不到或读不了这个文件，请检查路径和权限")


def _unpack(name: str, content: bytes) -> Iterator[tuple[int, str, bytes | Invalid]]:
    archive = _open_zip(name, content)
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_aside(_entry_name(entry))]
    if len(entries) > MOST_FILES:
        raise Invalid(f"{name}：超过{MOST_FILES}个文件，请分几次导入")
    for entry in sorted(entries, key=_entry_name):
        inner = _entry_name(entry)
        if entry.file_size > LARGEST:
            yield len(entries), inner, Invalid(f"{inner}：超过50MB，请去掉图片或拆开再导入")
            continue
        try:
            yield len(entries), inner, archive.read(entry)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
            yield len(entries), inner, Invalid(f"{inner}：压缩包里的这个文件已损坏，请重新打包再导入")


def _open_zip(name: str, content: bytes) -> zipfile.ZipFile:
    """A zip within limits: never unpacked before its sizes were added up."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Invalid(f"{name}：打不开，文件可能已损坏，请重新保存再导入") from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise Invalid(f"{name}：文件加了密，请去掉密码再导入")
    unpacked = sum(entry.file_size for entry in entries)
    bomb = unpacked > RATIO_FROM and unpacked > HIGHEST_RATIO * max(len(content), 1)
    if bomb or unpacked > LARGEST_UNPACKED or len(entries) > MOST_PARTS:
        raise Invalid(f"{name}：解开后太大，不像办事指南，没有导入")
    return archive


def _read_one(name: str, content: bytes | Invalid, preset: str | None) -> list[Imported | Refused]:
    preset = next((part for part in PurePosixPath(name).parts[:-1] if part in PRESETS), preset)
    try:
        if isinstance(content, Invalid):
            raise content
        found = _reader(name, content)(name, content)
    except Invalid as error:
        return [Refused(name, error.detail)]
    results: list[Imported | Refused] = []
    for source, text in found:
        try:
            # The slug of a document without one is its file name, which `import_markdown` takes from its source.
            own = import_markdown(text, PurePosixPath(name).name, preset)
            results.append(replace(own, source=source))
        except (Invalid, ValueError) as error:
            detail = error.detail if isinstance(error, Invalid) else "有的属性读不懂，请检查版本和日期"
            results.append(Refused(source, detail if source == name else f"{source}：{detail.partition('：')[2] or detail}"))
    return results


def _reader(name: str, content: bytes) -> Reader:
    """Who reads this document; `Invalid` for what must not be read."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _MACROS:
        raise Invalid(f"{name}：带有宏，为安全起见不导入，请另存为不带宏的 .docx 或 .xlsx")
    if suffix not in READERS:
        raise Invalid(f"{name}：不支持这种文件，可以导入 .md、.docx、.doc、.xlsx、.pdf 和它们的文件夹或 .zip")
    if len(content) > LARGEST:
        raise Invalid(f"{name}：超过50MB，请去掉图片或拆开再导入")
    if suffix in (".docx", ".xlsx"):
        _check_office(name, content)
    if suffix == ".doc" and not content.startswith(_OLE):
        raise Invalid(f"{name}：不是 Word 文档，请用 Word 另存为 .docx 再导入")
    if suffix == ".pdf":
        _check_pdf(name, content)
    if suffix == ".doc" and _MACRO_STORE in content:
        raise Invalid(f"{name}：带有宏，为安全起见不导入，请另存为不带宏的 .docx")
    return READERS[suffix]


def _check_office(name: str, content: bytes) -> None:
    if content.startswith(_OLE):
        raise Invalid(f"{name}：文件加了密，请去掉密码再导入")
    archive = _open_zip(name, content)
    for entry in archive.infolist():
        lower = entry.filename.lower()
        if lower.endswith("vbaproject.bin") or "/macrosheets/" in lower:
            raise Invalid(f"{name}：带有宏，为安全起见不导入，请另存为不带宏的文件")
        if lower.endswith((".xml", ".rels")) and _declares_entities(archive, entry):
            raise Invalid(f"{name}：含有不允许的内容，没有导入")


def _check_pdf(name: str, content: bytes) -> None:
    """The streams of a PDF within limits, added up before a parser unpacks them as a whole."""
    unpacked = 0
    for found in _STREAM.finditer(content):
        unpacked += _unpacked_size(content, found.end(), LARGEST_UNPACKED - unpacked)
        if unpacked >= LARGEST_UNPACKED:
            raise Invalid(f"{name}：解开后太大，不像办事指南，没有导入")


def _unpacked_size(content: bytes, start: int, most: int) -> int:
    """How much a packed stream holds, at most `most`; what was packed twice is counted the second time."""
    size, layer = 0, content[start : content.find(b"endstream", start)]
    for _ in range(LAYERS):
        try:
            unpacked = zlib.decompressobj().decompress(layer, most)
        except zlib.error:
            break
        size, layer = len(unpacked), unpacked
    return size


def _declares_entities(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Office documents declare no entities; a file that does wants to blow up in the parser."""
    try:
        with archive.open(entry) as part:
            return b"<!DOCTYPE" in part.read(4096)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        return False


def _read_markdown(name: str, content: bytes) -> list[tuple[str, str]]:
    try:
        return [(name, content.decode("utf-8"))]
    except UnicodeDecodeError as error:
        raise Invalid(f"{name}：不是 UTF-8 文本，请另存为 UTF-8 再导入") from error


def _through_blocks(read: Callable[[str, bytes], list[blocks.Block]]) -> Reader:
    return lambda name, content: [(name, blocks.to_markdown(read(name, content)))]


READERS: dict[str, Reader] = {
    ".md": _read_markdown,
    ".docx": _through_blocks(word.read_docx),
    ".doc": _through_blocks(word.read_doc),
    ".pdf": _through_blocks(pdf.read_pdf),
    ".xlsx": sheet.read_xlsx,
}


def _without_doubles(results: list[Imported | Refused]) -> list[Imported | Refused]:
    """Of two guides with one name the first stays: the second would replace it unseen."""
    seen: dict[tuple[str, str], str] = {}
    kept: list[Imported | Refused] = []
    for each in results:
        if isinstance(each, Imported):
            first = seen.setdefault((each.guide.preset, each.guide.slug), each.source)
            if first != each.source:
                each = Refused(each.source, f"{each.source}：与 {first} 的编号都是 {each.guide.slug}，请改一个再导入")
        kept.append(each)
    return kept


def _is_aside(name: str) -> bool:
    """Files that systems and Word leave beside the documents."""
    return any(part.startswith((".", "~$")) or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Zips of Chinese Windows write names in GBK without saying so."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gbk")
    except UnicodeError:
        return entry.filename
