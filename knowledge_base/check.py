"""What must not be published: missing fields, an empty fee, dates that are over, dead references, contradictions."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.errors import Invalid
from knowledge_base.guide import FIELDS, Guide
from knowledge_base.importer import Imported, import_file
from knowledge_base.wellformed import find_malformed

_REFERENCE = re.compile(r"\]\(guide:([^)\s]+)\)")
_PHONE = re.compile(r"0\d{2,3}[-—–]?\d{4}\s?\d{4}|0\d{2,3}[-—–]\d{7,8}|1[3-9]\d{9}")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3})[-—–]([2-9]\d{2,3}\s?\d{4})(?!\d)")
USUAL = 5
"""So many numbers of one length make it the usual one."""
_FEE_OF = re.compile(r"([\u4e00-\u9fff]{2,8}(?:工本费|手续费|登记费|押金|证费))[：:]?\s?(?:每[证本人户次])?(\d+(?:\.\d+)?)元")
_WINDOW = re.compile(r"(\d{1,3}号窗口[（(][^）)]{2,12}[）)])")

DATES = {"valid_from": "生效日期", "valid_to": "有效期至", "checked_on": "核对日期"}


@dataclass(frozen=True)
class Fault:
    """One thing to be put right, and where."""

    guide: str
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.guide} · {self.field}: {self.text}"


def check_guides(path: Path, today: date) -> list[Fault]:
    """All faults of the guides in a file or folder."""
    files = [path] if path.is_file() else sorted(path.rglob("*.md"))
    imported, faults = [], []
    for file in files:
        preset = file.parent.name
        try:
            imported.append(import_file(file, preset))
        except Invalid as error:
            faults.append(Fault(file.stem, error.field or "-", error.detail))
    return faults + check_all(imported, today)


def check_all(imported: Iterable[Imported], today: date) -> list[Fault]:
    """Faults of each guide, then between them."""
    many = list(imported)
    known = {(each.guide.preset, each.guide.slug) for each in many}
    faults = [Fault(each.guide.slug, "-", f"没有读懂：{line}") for each in many for line in each.left_out]
    for each in many:
        faults += check_guide(each.guide, today)
        if len(many) > 1:
            faults += [Fault(each.guide.slug, "-", f"引用了不存在的指南 {slug}")
                       for slug in sorted(references(each.guide)) if (each.guide.preset, slug) not in known]
    return faults + find_contradictions([each.guide for each in many])


def check_guide(guide: Guide, today: date) -> list[Fault]:
    """What is wrong with one guide by itself."""
    faults = [Fault(guide.slug, each.name, f"缺少“{each.heading}”") for each in FIELDS
              if each.name != "faq" and not guide.fields.get(each.name)]
    if len(guide.faq) < 4:
        faults.append(Fault(guide.slug, "faq", "常见问题少于四个"))
    if not guide.overview:
        faults.append(Fault(guide.slug, "overview", "标题下面没有事项说明"))
    for name in DATES:
        if getattr(guide, name) is None:
            faults.append(Fault(guide.slug, name, f"没有写{DATES[name]}"))
    if guide.valid_to and guide.valid_to < today:
        faults.append(Fault(guide.slug, "valid_to", f"已于 {guide.valid_to} 到期"))
    if guide.valid_from and guide.valid_to and guide.valid_from > guide.valid_to:
        faults.append(Fault(guide.slug, "valid_from", "晚于 valid_to"))
    if guide.checked_on and guide.checked_on > today:
        faults.append(Fault(guide.slug, "checked_on", f"核对日期 {guide.checked_on} 在将来"))
    if not guide.owner:
        faults.append(Fault(guide.slug, "owner", "没有写负责的窗口或科室"))
    return faults + [Fault(guide.slug, name, text) for name, text in find_malformed(guide)]


def find_contradictions(guides: Iterable[Guide]) -> list[Fault]:
    """The same thing said differently by two guides of one office."""
    guides = list(guides)
    faults = _odd_telephones(guides)
    said: dict[tuple[str, str, str], tuple[str, str]] = {}
    for guide in guides:
        for field, key, value in _claims(guide):
            other, before = said.setdefault((guide.preset, field, key), (guide.slug, value))
            if before != value and other != guide.slug:
                faults.append(Fault(guide.slug, field, f"“{key}”写的是 {value}，{other} 写的是 {before}"))
    return faults


def _odd_telephones(guides: Iterable[Guide]) -> list[Fault]:
    """Numbers of one area code are equally long; one that is not lost a digit or has one too many."""
    written = [(guide, name, found) for guide in guides for name in ("phone", "supervision_phone")
               for found in _LANDLINE.finditer(guide.fields.get(name, ""))]
    lengths: dict[tuple[str, str], Counter[int]] = {}
    for guide, _, found in written:
        lengths.setdefault((guide.preset, found[1]), Counter())[len(re.sub(r"\D", "", found[2]))] += 1
    faults = []
    for guide, name, found in written:
        usual, count = lengths[guide.preset, found[1]].most_common(1)[0]
        if count >= USUAL and len(re.sub(r"\D", "", found[2])) != usual:
            faults.append(Fault(guide.slug, name, f"电话“{found[0].strip()}”与其他指南的位数不同（{found[1]} 后面一般是{usual}位）"))
    return faults


def _claims(guide: Guide) -> list[tuple[str, str, str]]:
    fields = guide.fields
    claims = [("fee", name, f"{amount}元") for name, amount in _FEE_OF.findall(fields.get("fee", ""))]
    window = _WINDOW.fullmatch(fields.get("window", "").strip())
    phone = _PHONE.search(fields.get("phone", ""))
    if window and phone:
        claims.append(("phone", window[1], re.sub(r"\D", "", phone[0])))
    return claims


def references(guide: Guide) -> set[str]:
    """The slugs of other guides that this one names."""
    return set(_REFERENCE.findall(_everything(guide)))


def _everything(guide: Guide) -> str:
    return "\n".join([guide.overview, *guide.fields.values(), *(each.answer for each in guide.faq)])
