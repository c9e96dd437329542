"""Documents as offices have them, made here: Word with headings and tables, Excel, PDF with text."""

import io
import zipfile
import zlib
from collections.abc import Sequence

MATERIALS = [["材料", "份数"], ["身份证", "1份"], ["照片", "2张"]]
HEAD = ["事项名称", "窗口类型", "所需材料", "收费情况", "承诺办结时限", "咨询电话", "有效期至", "常见问答", "内部备注"]
ROWS = [
    ["居住证办理", "hall", "身份证\n照片2张", "不收费", "5个工作日", "0571-5551 0001", "2027-12-31",
     "问：能代办吗？\n答：可以。", "勿外传"],
    ["户口迁移", "hall", "户口簿", "不收费", "10个工作日", "0571-5551 0002", "2027-12-31", "要多久？\n10天。", ""],
]


def word_with_headings() -> bytes:
    import docx

    document = docx.Document()
    document.add_paragraph("居住证办理", style="Title")
    document.add_paragraph("来本地工作半年以上可以办。")
    document.add_heading("一、所需材料", 2)
    table = document.add_table(3, 2)
    for row, told in zip(table.rows, MATERIALS, strict=True):
        for cell, text in zip(row.cells, told, strict=True):
            cell.text = text
    document.add_heading("收费情况", 2)
    document.add_paragraph("不收费。")
    document.add_heading("领导批示", 2)
    document.add_paragraph("请抓紧。")
    document.add_heading("常见问题", 2)
    document.add_heading("能代办吗？", 3)
    document.add_paragraph("可以，带委托书。")
    return _saved(document)


def word_as_one_table() -> bytes:
    import docx

    document = docx.Document()
    told = [["事项名称", "居住证办理"], ["受理条件", "住满半年"], ["申请材料", "身份证\n照片2张"], ["是否收费", "不收费"],
            ["咨询电话", "0571-5551 0001"], ["有效期至", "2027-12-31"]]
    table = document.add_table(len(told), 2)
    for row, (name, text) in zip(table.rows, told, strict=True):
        row.cells[0].text, row.cells[1].text = name, text
    return _saved(document)


def sheet(rows: Sequence[Sequence[str]] = ROWS) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["云溪区办事指南汇总"])
    for row in (HEAD, *rows):
        book.active.append(list(row))
    return _saved(book)


def pdf(lines: Sequence[str], encrypted: bool = False) -> bytes:
    """A page with one line under the other, in a font that every reader knows by name."""
    show = "".join(f"BT /F1 12 Tf 50 {780 - 24 * at} Td <{line.encode('utf-16-be').hex()}> Tj ET\n"
                   for at, line in enumerate(lines)).encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%sendstream" % (len(show), show),
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[6 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/DW 1000/FontDescriptor 7 0 R"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>>",
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]/ItalicAngle 0"
        b"/Ascent 880/Descent -120/CapHeight 880/StemV 93>>",
        b"<</Filter/Standard/V 2/R 3/Length 128/P -4/O<%s>/U<%s>>>" % (b"11" * 32, b"22" * 32),
    ]
    content, places = b"%PDF-1.4\n", []
    for number, told in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, told)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    locked = b"/Encrypt 8 0 R/ID[<00><00>]" if encrypted else b""
    return content + b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, locked, start)


def packed_pdf(layers: int) -> bytes:
    """A PDF whose one stream grows to 300 MB."""
    stream = zlib.compress(bytes(300 * 1024 * 1024), 9)
    if layers == 2:
        stream = zlib.compress(stream, 9)
    return b"%%PDF-1.4\n4 0 obj\n<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream\nendobj\n" % (len(stream), stream)


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def added_to(document: bytes, name: str, content: bytes) -> bytes:
    """The same Office document with one part more."""
    buffer = io.BytesIO(document)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def marked_encrypted(archive: bytes) -> bytes:
    """The same zip with the mark of a password in its directory."""
    at = archive.rindex(b"PK\x01\x02")
    return archive[: at + 8] + bytes([archive[at + 8] | 1]) + archive[at + 9 :]


def _saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()
