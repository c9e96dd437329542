"""Guides' Markdown → clean HTML."""

from functools import cache
from typing import TYPE_CHECKING

import nh3

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "a", "h3", "h4",
        "blockquote", "code"}


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # Loaded with the first page, not at the start.

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")


def render(text: str, *, inline: bool = False) -> str:
    """Safe HTML; a reference `guide:slug` becomes a link to the guide's page."""
    html = _parser().renderInline(text) if inline else _parser().render(text)
    html = html.replace('href="guide:', 'href="/guides/')
    return nh3.clean(html, tags=TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "tel", "mailto"})
