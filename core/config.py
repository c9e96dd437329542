"""config.yml + environment → frozen settings; an unknown key is an error with its line.

YAML is read with every scalar as text, and each setting's declared type decides what it becomes: a token
written 0123 stays "0123", `no` in a text stays "no", while numbers and switches are parsed.
"""

import os
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator

from core.errors import Misconfigured

PREFIX = "HUIYIN__"
NOTHING = ("", "~", "null")
Model = TypeVar("Model", bound=BaseModel)
Lines = dict[tuple[str, ...], int]


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _read_nothing(cls, values: Any) -> Any:
        """An empty value means: not set."""
        if values is None or (isinstance(values, str) and values in NOTHING):
            return {}
        if not isinstance(values, dict):
            return values
        return {key: value for key, value in values.items() if not _is_unset(cls, key, value)}


def _is_unset(model: type[BaseModel], key: str, value: Any) -> bool:
    field = model.model_fields.get(key)
    if field is None or not (value is None or (isinstance(value, str) and value in NOTHING)):
        return False
    return value is None or value != "" or not _is_text(field.annotation)


def load(model: type[Model], path: Path | None, environ: Mapping[str, str] = os.environ) -> Model:
    """The settings from the file (which may be absent) and the environment, the environment first.

    Raises Misconfigured with the key, the line and what is allowed.
    """
    values, lines = _read_file(path) if path and path.exists() else ({}, {})
    name = path.name if path else "config.yml"
    for key, text in environ.items():
        if key.startswith(PREFIX):
            _overlay(model, values, key, text)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Misconfigured(_explain(model, error, lines, name)) from None


def _read_file(path: Path) -> tuple[dict[str, Any], Lines]:
    try:
        node = yaml.compose(path.read_text("utf-8"), yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise Misconfigured(f"{path.name}{where}: this is not YAML: {problem}") from None
    if node is None:
        return {}, {}
    if not isinstance(node, yaml.MappingNode):
        raise Misconfigured(f"{path.name} line 1: settings are written as `key: value`")
    lines: Lines = {}
    return _plain(node, (), lines, path.name), lines


def _plain(node: yaml.Node, at: tuple[str, ...], lines: Lines, name: str) -> Any:
    """The node as dicts, lists and texts; where each key stands goes to `lines`."""
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in values:
                raise Misconfigured(f"{name} line {line}: {'.'.join((*at, key))} stands here a second time")
            lines[(*at, key)] = line
            values[key] = _plain(value_node, (*at, key), lines, name)
        return values
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*at, str(n)), lines, name) for n, item in enumerate(node.value)]
    return node.value


def _overlay(model: type[BaseModel], values: dict[str, Any], variable: str, text: str) -> None:
    """Put one environment variable into the values."""
    path = [part.lower() for part in variable[len(PREFIX) :].split("__")]
    kind = _type_at(model, path)
    if kind is None and path[-1].endswith("_file"):
        path[-1] = path[-1].removesuffix("_file")
        kind = _type_at(model, path)
        text = _read_secret(variable, text)
    if kind is None:
        raise Misconfigured(f"environment variable {variable}: {'.'.join(path)} is not a setting")
    try:
        value = text if _is_text(kind) else yaml.load(text, yaml.BaseLoader)
    except yaml.YAMLError:
        raise Misconfigured(f"environment variable {variable}: the value is not YAML") from None
    for part in path[:-1]:
        inner = values.get(part)
        values[part] = values = inner if isinstance(inner, dict) else {}
    values[path[-1]] = value


def _read_secret(variable: str, file: str) -> str:
    try:
        return Path(file).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(f"environment variable {variable}: the file it names cannot be read") from None


def _type_at(kind: Any, path: list[str]) -> Any:
    """The declared type of the setting at the path; None when there is none."""
    for part in path:
        kind = bare_type(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(part)
            kind = field.annotation if field else None
        elif get_origin(kind) in (dict, Mapping):
            kind = get_args(kind)[1]
        else:
            return None
        if kind is None:
            return None
    return kind


def bare_type(kind: Any) -> Any:
    """The type without `| None` and without `Annotated`."""
    if get_origin(kind) is typing.Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        others = [item for item in get_args(kind) if item is not type(None)]
        return bare_type(others[0]) if len(others) == 1 else kind
    return kind


def _is_text(kind: Any) -> bool:
    kind = bare_type(kind)
    return kind in (str, SecretStr, Path) or get_origin(kind) is Literal


def _explain(model: type[BaseModel], error: ValidationError, lines: Lines, name: str) -> str:
    """One line: where, which key, what is wrong, what is allowed. The value itself may be a secret: never shown."""
    first = error.errors(include_input=False, include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        allowed = _names_at(model, path[:-1])
        problem = f"is not a setting; allowed here: {', '.join(allowed)}"
    else:
        problem = first["msg"][:1].lower() + first["msg"][1:]
    known = [n for n in range(len(path), 0, -1) if tuple(path[:n]) in lines]
    where = f"{name} line {lines[tuple(path[: known[0]])]}" if known else f"{name} (or the environment)"
    return f"{where}: {'.'.join(path) or 'the file'}: {problem}"


def _names_at(model: type[BaseModel], path: list[str]) -> list[str]:
    kind = bare_type(_type_at(model, path)) if path else model
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []
