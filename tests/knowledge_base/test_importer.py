"""Markdown to guides."""

import dataclasses

import pytest

from core.errors import Invalid
from knowledge_base.guide import FIELD_NAMES
from knowledge_base.importer import export_markdown, import_markdown
from knowledge_base.library import shipped
from tests.knowledge_base.samples import markdown, sample


def test_every_field_of_a_guide_is_read() -> None:
    guide = sample().guide
    assert set(FIELD_NAMES) - {"faq"} == set(guide.fields)
    assert 4 == len(guide.faq)
    assert ("居住证办理的说明。", "示例。", 3) == (guide.overview, guide.note, guide.version)


def test_an_exported_guide_imports_to_the_same_guide() -> None:
    guide = sample().guide
    assert guide == import_markdown(export_markdown(guide)).guide


@pytest.mark.parametrize("imported", shipped(), ids=lambda each: each.guide.slug)
def test_every_shipped_guide_is_understood_whole_and_survives_export(imported) -> None:  # type: ignore[no-untyped-def]
    assert () == imported.left_out
    again = import_markdown(export_markdown(imported.guide)).guide
    assert imported.guide == dataclasses.replace(again)


def test_headings_that_other_offices_write_are_understood() -> None:
    text = markdown().replace("## 申请材料", "## 三、所需材料：")
    assert "身份证" in import_markdown(text).guide.fields["materials"]


def test_an_unknown_heading_is_reported_and_left_out() -> None:
    assert ("## 内部备注", "不给居民看") == import_markdown(markdown() + "\n## 内部备注\n不给居民看\n").left_out


def test_html_is_cleaned_and_its_words_kept() -> None:
    guide = sample(fee="<b>不收费</b><script>alert(1)</script>，A & B，3 < 5<br>第二行").guide
    assert "不收费，A & B，3 < 5\n第二行" == guide.fields["fee"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("没有标题", id="no title"),
        pytest.param("---\nslug: a\n# 没有结束", id="front matter without end"),
        pytest.param("---\nslug: [a\n---\n# 题", id="broken front matter"),
        pytest.param("---\npreset: bank\n---\n# 题", id="unknown preset"),
        pytest.param("---\npreset: hall\nvalid_to: 明年\n---\n# 题", id="a date that is none"),
    ],
)
def test_what_is_no_guide_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        import_markdown(text)
    assert refused.value.detail
