"""What offices have becomes guides, or is refused in one sentence with nothing half imported."""

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from knowledge_base.documents import Refused, preview, read, read_documents
from knowledge_base.importer import Imported
from tests.knowledge_base import papers
from tests.knowledge_base.samples import markdown

OFFICE = Path(__file__).parent.parent / "data" / "office"
"""One guide as an office program writes it: text document, old text document, PDF, sheet."""
TABLE = "| 材料 | 形式 | 份数 | 来源 |\n|---|---|---|---|\n| 居民身份证 | 原件 | 1份 | 自备 |\n| 租赁合同 | 复印件 | 1份 | 房东 |"
OLE = b"\xd0\xcf\x11\xe0" + bytes(600)
LINES = ["居住证办理", "来本地工作半年以上可以办。", "申请材料", "身份证原件", "收费标准：不收费", "常见问题", "能代办吗？", "可以，带委托书。"]


def put(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def taken(folder: Path, name: str, content: bytes) -> Imported:
    [found] = read_documents(put(folder, name, content), "hall")
    assert isinstance(found, Imported), found
    return found


def test_word_is_read_by_its_headings_and_tables(tmp_path: Path) -> None:
    found = taken(tmp_path, "permit.docx", papers.word_with_headings())
    guide = found.guide
    assert ("permit", "hall", "居住证办理", "来本地工作半年以上可以办。") == (guide.slug, guide.preset, guide.title, guide.overview)
    assert "| 材料 | 份数 |\n|---|---|\n| 身份证 | 1份 |\n| 照片 | 2张 |" == guide.fields["materials"]
    assert "不收费。" == guide.fields["fee"]
    assert [("能代办吗？", "可以，带委托书。")] == [(each.question, each.answer) for each in guide.faq]
    assert ("## 领导批示", "请抓紧。") == found.left_out


def test_word_that_is_one_table_is_read_row_by_row(tmp_path: Path) -> None:
    guide = taken(tmp_path, "permit.docx", papers.word_as_one_table()).guide
    assert ("居住证办理", date(2027, 12, 31)) == (guide.title, guide.valid_to)
    assert {"conditions": "住满半年", "materials": "身份证\n照片2张", "fee": "不收费",
            "phone": "0571-5551 0001"} == guide.fields


def test_each_row_of_a_sheet_is_a_guide_and_unknown_columns_are_told(tmp_path: Path) -> None:
    first, second = read_documents(put(tmp_path, "all.xlsx", papers.sheet()))
    assert isinstance(first, Imported) and isinstance(second, Imported)
    assert ("居住证办理", "身份证\n照片2张", date(2027, 12, 31)) == (
        first.guide.title, first.guide.fields["materials"], first.guide.valid_to)
    assert [("能代办吗？", "可以。"), ("要多久？", "10天。")] == [
        (each.guide.faq[0].question, each.guide.faq[0].answer) for each in (first, second)]
    assert ("## 内部备注", "勿外传") == first.left_out


def test_a_broken_row_is_refused_and_named(tmp_path: Path) -> None:
    broken = [*papers.ROWS[1][:6], "明年", "", ""]
    _, found = read_documents(put(tmp_path, "all.xlsx", papers.sheet([papers.ROWS[0], broken])))
    assert isinstance(found, Refused) and "第4行" in found.reason and "valid_to" in found.reason


def test_pdf_with_text_is_read_by_its_lines(tmp_path: Path) -> None:
    guide = taken(tmp_path, "permit.pdf", papers.pdf(LINES)).guide
    assert ("居住证办理", LINES[1], {"materials": "身份证原件", "fee": "不收费"}) == (guide.title, guide.overview, guide.fields)
    assert [("能代办吗？", "可以，带委托书。")] == [(each.question, each.answer) for each in guide.faq]


@pytest.mark.parametrize("installed", [True, False])
def test_old_word_goes_through_antiword_or_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    if installed:
        program = put(programs, "antiword", f"#!/bin/sh\n/bin/cat > /dev/null\necho '{chr(10).join(LINES)}'\n".encode())
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    [found] = read_documents(put(tmp_path, "permit.doc", OLE), "hall")
    if installed:
        assert isinstance(found, Imported) and "身份证原件" == found.guide.fields["materials"]
    else:
        assert isinstance(found, Refused) and "antiword" in found.reason


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        pytest.param("a.docx", b"PK\x03\x04 broken", "损坏", id="broken Word"),
        pytest.param("a.docx", papers.packed({"a.txt": b"x"}), "损坏", id="a zip that is no Word"),
        pytest.param("a.xlsx", b"nothing", "损坏", id="broken Excel"),
        pytest.param("a.pdf", b"%PDF-1.4 nothing", "损坏", id="broken PDF"),
        pytest.param("a.docx", OLE, "加了密", id="encrypted Word"),
        pytest.param("a.pdf", papers.pdf(LINES, encrypted=True), "加了密", id="encrypted PDF"),
        pytest.param("a.zip", papers.marked_encrypted(papers.packed({"a.md": b"x"})), "加了密", id="encrypted zip"),
        pytest.param("a.pdf", papers.pdf([]), "扫描件", id="PDF without text"),
        pytest.param("a.docm", b"PK", "宏", id="Word with macros by name"),
        pytest.param("a.xlsm", b"PK", "宏", id="Excel with macros by name"),
        pytest.param("a.docx", papers.added_to(papers.word_as_one_table(), "word/vbaProject.bin", b"x"), "宏",
                     id="macros inside"),
        pytest.param("a.docx", papers.added_to(papers.word_as_one_table(), "word/x.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]>"),
                     "不允许", id="entities"),
        pytest.param("a.docx", papers.added_to(papers.word_as_one_table(), "word/x.bin", bytes(9_000_000)), "太大",
                     id="bomb in Word"),
        pytest.param("a.zip", papers.packed({"a.md": bytes(9_000_000)}), "太大", id="zip bomb"),
        pytest.param("a.xlsx", papers.added_to(papers.sheet(), "xl/macrosheets/sheet1.xml", b"<x/>"), "宏",
                     id="old macros in Excel"),
        pytest.param("a.pdf", papers.packed_pdf(1), "太大", id="bomb in PDF"),
        pytest.param("a.pdf", papers.packed_pdf(2), "太大", id="bomb packed twice"),
        pytest.param("a.doc", b"plain text", "不是 Word", id="no Word at all"),
        pytest.param("a.exe", b"MZ", "不支持", id="another kind"),
        pytest.param("a.md", "标题".encode("gbk"), "UTF-8", id="not UTF-8"),
        pytest.param("a.xlsx", papers.sheet([]), "没有找到指南", id="Excel without guides"),
    ],
)
def test_what_cannot_be_read_safely_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, word: str
) -> None:
    [found] = read_documents(put(tmp_path, name, content), "hall")
    assert isinstance(found, Refused) and word in found.reason and found.reason.startswith(name)


def test_what_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    path = put(tmp_path, "a.docx", b"")
    with path.open("r+b") as file:
        file.truncate(read.LARGEST + 1)
    [found] = read_documents(path, "hall")
    assert isinstance(found, Refused) and "50MB" in found.reason


def test_a_folder_and_its_zip_say_the_same_and_leave_out_what_systems_add(tmp_path: Path) -> None:
    files = {"hall/permit.md": markdown().encode(), "word/户口.docx": papers.word_as_one_table(), "说明.txt": b"x",
             "word/~$户口.docx": b"x", "__MACOSX/a.md": b"x", ".hidden.md": b"x"}
    for name, content in files.items():
        put(tmp_path / "all", name, content)
    archive = put(tmp_path, "all.zip", papers.packed(files))
    for path in (tmp_path / "all", archive):
        found = read_documents(path, "hall")
        assert [("hall/permit.md", Imported), ("word/户口.docx", Imported), ("说明.txt", Refused)] == [
            (each.source, type(each)) for each in found]


def test_two_documents_with_one_slug_do_not_replace_each_other(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        put(tmp_path / "all", name, markdown().encode())
    first, second = read_documents(tmp_path / "all")
    assert isinstance(first, Imported) and isinstance(second, Refused) and "permit" in second.reason


def test_the_same_document_has_the_same_digest_and_is_no_change(tmp_path: Path) -> None:
    path = put(tmp_path, "permit.docx", papers.word_with_headings())
    [one], [other] = read_documents(path, "hall"), read_documents(path, "hall")
    assert isinstance(one, Imported) and isinstance(other, Imported) and one.digest == other.digest
    [line] = preview([one], {("hall", "permit"): one.digest}, date(2026, 11, 26))
    assert line.startswith("没有变化")


def test_a_dry_run_shows_each_field_what_was_left_out_and_what_is_missing(tmp_path: Path) -> None:
    found = taken(tmp_path, "permit.docx", papers.word_with_headings())
    told = "\n".join(preview([found, Refused("a.pdf", "a.pdf：不行")], {("hall", "permit"): "old"}, date(2026, 11, 26)))
    for part in ("更新  permit.docx → hall/permit《居住证办理》", "收费标准：不收费。", "没有读懂，未导入：## 领导批示",
                 "发布前要补：缺少办理条件、办理流程", "未导入  a.pdf：不行"):
        assert part in told


def test_reading_libraries_are_not_loaded_before_a_document_comes() -> None:
    code = ("import sys, knowledge_base.answer, knowledge_base.library, knowledge_base.documents;"
            "print([name for name in ('docx', 'openpyxl', 'pdfplumber') if name in sys.modules])")
    assert "[]" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("kind", ["docx", "doc", "pdf", "xlsx"])
def test_what_an_office_program_wrote_is_understood_with_its_tables_and_lists(kind: str) -> None:
    if kind == "doc" and shutil.which("antiword") is None:
        pytest.skip("antiword is not installed")
    [found] = read_documents(OFFICE / f"residence.{kind}", "hall")
    assert isinstance(found, Imported), found
    guide = found.guide
    assert ("暂住登记办理", date(2026, 1, 1), date(2027, 12, 31), date(2026, 11, 20)) == (
        guide.title, guide.valid_from, guide.valid_to, guide.checked_on)
    assert "不收费。" == guide.fields["fee"]
    assert ["取号", "交材料", "领登记回执"] == [line.lstrip("123. ") for line in guide.fields["steps"].split("\n")]
    assert [("能代办吗？", "可以，带委托书。"), ("要多久？", "当场办好。")] == [
        (each.question, each.answer) for each in guide.faq]
    assert found.left_out == (("## 内部备注", "勿外传") if kind == "xlsx" else ("## 领导批示", "请抓紧。"))
    if kind != "xlsx":
        assert TABLE == guide.fields["materials"]
        assert ("暂住证", "外来人员登记") == guide.aliases and "户籍窗口" == guide.owner
        assert guide.overview.endswith("中间不多出一个空格来。") and " " not in guide.overview


def test_an_old_document_with_macros_is_refused(tmp_path: Path) -> None:
    content = (OFFICE / "residence.doc").read_bytes() + "_VBA_PROJECT".encode("utf-16-le")
    [found] = read_documents(put(tmp_path, "a.doc", content))
    assert isinstance(found, Refused) and "宏" in found.reason


def test_each_document_is_told_before_it_is_read(tmp_path: Path) -> None:
    for name in ("hall/a.md", "b.md"):
        put(tmp_path / "all", name, markdown(slug=name[-4]).encode())
    told: list[tuple[int, int, str]] = []
    read_documents(tmp_path / "all", "hall", lambda *each: told.append(each))
    assert [(1, 2, "b.md"), (2, 2, "hall/a.md")] == told


def test_a_folder_named_after_a_preset_says_whose_guides_lie_in_it(tmp_path: Path) -> None:
    put(tmp_path / "all", "hospital/permit.docx", papers.word_with_headings())
    [found] = read_documents(tmp_path / "all", "hall")
    assert isinstance(found, Imported) and "hospital" == found.guide.preset


def test_a_sentence_that_a_page_breaks_goes_on_and_a_new_point_does_not() -> None:
    from knowledge_base.documents.blocks import Line
    from knowledge_base.documents.pdf import _join_pages

    pages = [([Line("全国统一；加急不另")], True), ([Line("外收费。"), Line("2. 领证")], True), ([Line("3. 归档")], False)]
    assert [Line("全国统一；加急不另外收费。"), Line("2. 领证"), Line("3. 归档")] == _join_pages(pages)
