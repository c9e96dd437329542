"""Imports point one way: the shape of the house."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "channels", "knowledge_base", "ticketing", "service", "bot")
MAY_IMPORT = {
    "core": set(),
    "channels": {"core"},
    "knowledge_base": {"core"},
    "ticketing": {"core"},
    "service": {"core", "channels", "knowledge_base", "ticketing"},
    "bot": set(),
}


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found & set(ROOMS)


def modules(room: str) -> list[Path]:
    return [path for path in (ROOT / room).rglob("*.py") if ".venv" not in path.parts]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_stands_on(room):
    assert modules(room)
    wrong = {
        str(path.relative_to(ROOT)): extra
        for path in modules(room)
        if (extra := imported_rooms(path) - MAY_IMPORT[room] - {room})
    }
    assert wrong == {}


def test_every_module_says_what_it_is_for():
    silent = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in modules(room)
        if path.read_text("utf-8").count("\n") > 5 and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
