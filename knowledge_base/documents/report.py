"""What an import would do, to be read before it is done: field by field, what is missing, what was left out."""

from collections.abc import Iterable, Mapping
from datetime import date

from knowledge_base.check import check_guide
from knowledge_base.documents.read import Refused
from knowledge_base.guide import FIELDS, HEADINGS, Guide
from knowledge_base.importer import Imported

SHOWN = 60
"""Characters of a field that are shown."""


def preview(results: Iterable[Imported | Refused], known: Mapping[tuple[str, str], str], today: date) -> list[str]:
    """The lines of a dry run; `known` holds the digest of each guide that is there, by preset and slug."""
    lines: list[str] = []
    for each in results:
        if isinstance(each, Refused):
            lines.append(f"未导入  {each.reason}")
            continue
        before = known.get((each.guide.preset, each.guide.slug))
        change = "新增" if before is None else "没有变化" if before == each.digest else "更新"
        lines.append(f"{change}  {each.source} → {each.guide.preset}/{each.guide.slug}《{each.guide.title}》")
        if change != "没有变化":
            lines += [f"    {line}" for line in (*understood(each.guide), *remarks(each, today))]
    return lines


def understood(guide: Guide) -> list[str]:
    """Each field with the beginning of what was read into it, so that a swapped field shows."""
    said = [("事项说明", guide.overview), ("别名", "、".join(guide.aliases))]
    said += [(field.heading, guide.fields[field.name]) for field in FIELDS if guide.fields.get(field.name)]
    said += [("常见问题", "；".join(each.question for each in guide.faq))]
    return [f"{heading}：{_shorten(text)}" for heading, text in said if text]


def remarks(imported: Imported, today: date) -> list[str]:
    """What was left out, and what must be added before the guide can be published."""
    faults = check_guide(imported.guide, today)
    missing = [HEADINGS.get(each.field, each.field) for each in faults if each.text.startswith("缺少")]
    others = [each.text for each in faults if not each.text.startswith("缺少")]
    return [*(f"没有读懂，未导入：{line}" for line in imported.left_out),
            *([f"发布前要补：缺少{'、'.join(missing)}"] if missing else []),
            *(f"发布前要补：{text}" for text in dict.fromkeys(others))]


def _shorten(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}…（共{len(plain)}字）"
