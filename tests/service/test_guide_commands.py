"""huiyin guides: what an editor types and reads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.knowledge_base import papers
from tests.knowledge_base.samples import markdown

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def huiyin(tmp_path: Path):
    """Run the command on an office of its own; (exit code, standard output, standard error)."""
    environ = {"PATH": os.environ["PATH"], "HUIYIN__DATA_DIR": str(tmp_path / "var"), "HUIYIN__OFFICE__PRESET": "hall"}

    def call(*arguments: object, **settings: str) -> tuple[int, str, str]:
        done = subprocess.run([sys.executable, "-m", "service", "guides", *map(str, arguments)], cwd=ROOT,
                              env=environ | settings, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    return call


def put(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def states(huiyin) -> dict[str, str]:
    return {row["slug"]: row["status"] for row in json.loads(huiyin("list", "--json")[1])}


def test_a_folder_is_imported_as_drafts_what_is_wrong_is_named_and_the_rest_taken(huiyin, tmp_path):
    put(tmp_path / "all", "permit.md", markdown())
    put(tmp_path / "all", "broken.docx", b"PK broken")
    put(tmp_path / "all", "locked.pdf", papers.pdf(["居住证"], encrypted=True))
    code, told, progress = huiyin("import", tmp_path / "all")
    assert code == 1 and "新增  permit.md → hall/permit" in told and "（草稿）" in told
    assert [line for line in told.splitlines() if line.startswith("未导入")] == [
        "未导入  broken.docx：打不开，文件可能已损坏，请重新保存再导入",
        "未导入  locked.pdf：文件加了密，请去掉密码再导入",
    ]
    assert progress.splitlines() == ["1/3 broken.docx", "2/3 locked.pdf", "3/3 permit.md"]
    assert states(huiyin) == {"permit": "draft"}


def test_a_dry_run_shows_the_fields_and_changes_nothing(huiyin, tmp_path):
    path = put(tmp_path, "permit.docx", papers.word_with_headings())
    code, told, _ = huiyin("import", path, "--dry-run")
    assert code == 0
    for part in ("新增  permit.docx", "收费标准：不收费。", "没有读懂，未导入：## 领导批示", "什么都没有改动"):
        assert part in told
    [row] = json.loads(huiyin("import", path, "--dry-run", "--json")[1])
    assert row["guide"]["fields"]["fee"] == "不收费。" and row["left_out"] == ["## 领导批示", "请抓紧。"]
    assert states(huiyin) == {}


def test_what_is_exported_imports_without_a_change(huiyin, tmp_path):
    put(tmp_path / "all", "hall/permit.md", markdown())
    put(tmp_path / "all", "hall/table.docx", papers.word_as_one_table())
    assert huiyin("import", tmp_path / "all")[0] == 0
    assert huiyin("export", tmp_path / "out")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.md")) == ["permit.md", "table.md"]
    rows = json.loads(huiyin("import", tmp_path / "out", "--json")[1])
    assert [row["change"] for row in rows] == ["unchanged", "unchanged"]


def test_settings_may_publish_what_is_sound_and_nothing_else(huiyin, tmp_path):
    put(tmp_path / "all", "permit.md", markdown())
    put(tmp_path / "all", "other.md", markdown(slug="other", leave_out="fee"))
    code, told, _ = huiyin("import", tmp_path / "all", HUIYIN__GUIDES__IMPORTED="published")
    assert code == 0 and "发布前要补：缺少收费标准" in told
    assert states(huiyin) == {"permit": "published", "other": "draft"}


def test_one_slug_in_two_paths_is_taken_once(huiyin, tmp_path):
    one, other = put(tmp_path, "a.md", markdown()), put(tmp_path, "b.md", markdown(fee="10元"))
    code, told, _ = huiyin("import", one, other)
    assert code == 1 and "未导入  b.md：与 a.md 的编号都是 permit" in told


def test_a_path_that_is_not_there_is_one_sentence(huiyin, tmp_path):
    code, told, _ = huiyin("import", tmp_path / "nothing.docx")
    assert code == 1 and told.startswith("未导入  nothing.docx：找不到")
