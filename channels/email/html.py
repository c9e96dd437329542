"""HTML of a mail → plain text; quotations keep their `>`."""

import re
from html.parser import HTMLParser

BLOCKS = frozenset(
    "p div br tr li ul ol table h1 h2 h3 h4 h5 h6 hr pre section article header footer dl dt dd".split()
)
SILENT = frozenset(("script", "style", "head", "title", "template", "noscript"))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.quoted = 0
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._silent = 0  # A head that never ends must not swallow the mail.
        if tag in SILENT:
            self._silent += 1
        elif tag == "blockquote":
            self.quoted += 1
            self._break()
        elif tag in BLOCKS:
            self._break()
        elif tag in ("td", "th"):
            self.lines[-1] += " "

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "blockquote":
            self._break()
            self.quoted = max(0, self.quoted - 1)
            self._break()
        elif tag in BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        words = " ".join(data.replace("\xa0", " ").split())
        if words:
            gap = " " if data[:1].isspace() and self.lines[-1].strip("> ") else ""
            self.lines[-1] += gap + words + (" " if data[-1:].isspace() else "")

    def _break(self) -> None:
        prefix = "> " * min(self.quoted, 3)
        if self.lines[-1].strip("> "):
            self.lines.append(prefix)
        else:
            self.lines[-1] = prefix


def html_to_text(html: str) -> str:
    """What a reader sees, one line a block. Broken HTML gives as much as can be read."""
    text = _read(html)
    if not text and (rest := re.sub(r"(?is)<(style|script|title)\b[^>]*>", "", html)) != html:
        return _read(rest)  # A style that is never closed hides everything after it.
    return text


def _read(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "\n".join(line.rstrip() for line in reader.lines if line.strip("> ")).strip()
