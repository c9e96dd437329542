"""Small guides for the tests, written here so that an edit of a shipped guide breaks no test."""

from knowledge_base.guide import FIELDS
from knowledge_base.importer import Imported, import_markdown

SAID = {
    "materials": "| 材料 | 形式 | 份数 | 来源 | 说明 |\n|---|---|---|---|---|\n"
                 "| 身份证 | 原件 | 1份 | 自备 | 当场退还 |\n| 照片 | 电子版 | 1张 | 自备 | 白底 |",
    "steps": "1. 取号\n2. 递交材料\n3. 领证",
    "phone": "0571-5551 0001",
    "fee": "不收费。",
    "limit_promised": "5个工作日",
    "hours": "周一至周五 09:00–12:00",
}
FAQ = ["丢了能补吗？", "能不能寄到家？", "孩子怎么办？", "可以代办吗？"]


def markdown(slug: str = "permit", title: str = "居住证办理", aliases: str = "暂住证", preset: str = "hall",
             front: str = "", leave_out: str = "", **said: str) -> str:
    """A whole guide; `said` replaces a field's text, `leave_out` drops a field."""
    lines = ["---", f"slug: {slug}", f"preset: {preset}", f"title: {title}", f"aliases: [{aliases}]", "owner: 一号窗口",
             "valid_from: 2026-01-01", "valid_to: 2027-12-31", "checked_on: 2026-11-20", "version: 3"]
    lines += [front, "---", f"# {title}", "", "> 示例。", "", f"{title}的说明。", ""]
    for field in FIELDS[:-1]:
        if field.name != leave_out:
            text = said.get(field.name, SAID.get(field.name, f"{title}的{field.heading}"))
            lines += [f"## {field.heading}", "", text, ""]
    lines += ["## 常见问题"]
    for question in FAQ:
        lines += [f"### {title}{question}", f"{title}可以，{question[:-1]}的答复。", ""]
    return "\n".join(lines)


def sample(*args: str, **said: str) -> Imported:
    return import_markdown(markdown(*args, **said), "sample.md")
