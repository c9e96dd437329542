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


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(path: Path, known: set[str]) -> set[str]:
    """What reading the module runs, and what its functions import; what only the type checker reads is left out.

    Of another package its `__init__` is run too.
    """
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            named |= {each if each in known else node.module for each in inside}
    name = name_of(path)
    parents = {each.rpartition(".")[0] for each in named}
    return {each for each in named | parents if each in known and each != name and not name.startswith(f"{each}.")}


def find_circle(imports: dict[str, set[str]]) -> list[str]:
    """The names of one circle, in its order; nothing where there is none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name):], name]
        if name in done:
            return []
        found = next((circle for each in sorted(imports[name]) if (circle := walk(each, [*way, name]))), [])
        done.add(name)
        return found

    return next((circle for name in sorted(imports) if (circle := walk(name, []))), [])


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


@pytest.mark.parametrize("room", ["core", "channels", "knowledge_base", "ticketing"])
def test_no_modules_of_a_room_import_each_other_in_a_circle(room):
    paths = {name_of(path): path for path in modules(room)}
    assert find_circle({name: imported_modules(path, set(paths)) for name, path in paths.items()}) == []


def test_a_circle_that_a_function_hides_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    texts = {"a": "from room import b", "b": "def f():\n    from room.c import g", "c": "import room.a", "d": "import room.c"}
    paths = {f"room.{name}": tmp_path / "room" / f"{name}.py" for name in texts}
    (tmp_path / "room").mkdir()
    for name, text in texts.items():
        paths[f"room.{name}"].write_text(text)
    found = find_circle({name: imported_modules(path, set(paths)) for name, path in paths.items()})
    assert found == ["room.a", "room.b", "room.c", "room.a"]


def test_every_module_says_what_it_is_for():
    silent = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in modules(room)
        if path.read_text("utf-8").count("\n") > 5 and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
