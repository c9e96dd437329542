"""Settings: every key is documented, and a wrong one stops the start with its line and what is allowed."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from core.config import bare_type
from core.errors import Misconfigured
from service.settings import Settings, load_settings

CONFIG = Path(__file__).resolve().parent.parent.parent / "config.yml"
MINIMUM = {"HUIYIN_CONFIG": ""}


def leaf_names(model: type[BaseModel]) -> set[str]:
    names = set()
    for name, field in model.model_fields.items():
        names.add(field.alias or name)
        kind = bare_type(field.annotation)
        for inner in (kind, *getattr(kind, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and inner is not model:
                names |= leaf_names(inner)
    return names


def test_every_setting_is_documented_in_config_yml():
    words = set(re.findall(r"[a-z_0-9]+", CONFIG.read_text("utf-8")))
    assert leaf_names(Settings) - words == set()


def test_the_shipped_config_is_the_default():
    assert load_settings({"HUIYIN_CONFIG": str(CONFIG)}) == load_settings({})


def write(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "office.yml"
    path.write_text(text, "utf-8")
    return {"HUIYIN_CONFIG": str(path)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("web:\n  prot: 80\n", r"line 2: web\.prot: is not a setting; allowed here: host, port", id="unknown key"),
        pytest.param("office:\n  preset: hotel\n", r"line 2: office\.preset: .*'property', 'hall' or 'hospital'", id="not one of"),
        pytest.param("web:\n  port: many\n", r"line 2: web\.port: .*integer", id="not a number"),
        pytest.param("web: [1\n", r"line \d: this is not YAML", id="not YAML"),
        pytest.param("web:\n  port: 1\n  port: 2\n", r"line 3: web\.port stands here a second time", id="twice"),
        pytest.param("clock: {offset: soon}\n", r"line 1: clock\.offset: .*90s", id="not a duration"),
    ],
)
def test_a_wrong_setting_stops_with_key_line_and_what_is_allowed(tmp_path, text, message):
    with pytest.raises(Misconfigured) as caught:
        load_settings(write(tmp_path, text))
    assert re.search(message, caught.value.detail), caught.value.detail
    assert "\n" not in caught.value.detail


def test_a_token_of_digits_stays_text_and_a_no_in_a_name_stays_a_word(tmp_path):
    settings = load_settings(write(tmp_path, "office: {name: no}\napi: {tokens: {a: {token: 0123, role: clerk}}}\n"))
    assert settings.office.name == "no"
    assert settings.api.tokens["a"].token.get_secret_value() == "0123"


def test_the_environment_wins_and_may_name_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    environ = write(tmp_path, "web: {port: 1}\n") | {
        "HUIYIN__WEB__PORT": "2",
        "HUIYIN__API__TOKENS__BOB__TOKEN_FILE": str(secret),
        "HUIYIN__API__TOKENS__BOB__ROLE": "[clerk, officer]",
        "HUIYIN__PRIVACY__KEY_FILE": "keys/huiyin.key",
    }
    settings = load_settings(environ)
    assert settings.web.port == 2
    assert settings.api.tokens["bob"].token.get_secret_value() == "s3cret"
    assert settings.api.tokens["bob"].role == ["clerk", "officer"]
    assert settings.key_path == Path("keys/huiyin.key")


def test_a_secret_never_stands_in_the_message(tmp_path):
    environ = write(tmp_path, "wechat: {accounts: {main: {app_id: wx, token: t0psecret, aes_key: t0psecretkey}}}\n")
    with pytest.raises(Misconfigured) as caught:
        load_settings(environ)
    assert "t0psecret" not in caught.value.detail


def test_the_clock_is_not_moved_once_residents_are_served(tmp_path):
    with pytest.raises(Misconfigured, match=r"clock\.offset"):
        load_settings(write(tmp_path, "clock: {offset: 3d}\nweb: {public_url: 'https://example.org'}\n"))
