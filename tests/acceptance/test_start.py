"""A start that cannot be right stops with one line that says what is wrong and what is allowed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.running import TOKENS, Chat, Running, running

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def stopped(tmp_path: Path) -> AsyncIterator[Running]:
    """A service that was never started."""
    service = Running(tmp_path)
    yield service
    await service.stop()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("office:\n  preset: property\n  presett: hall\n", ("config.yml line 3", "office.presett", "preset, name")),
        ("# the office\noffice:\n  preset: school\n", ("config.yml line 3", "office.preset", "hospital")),
        ("web:\n  limits: {webchat_per_minute: many}\n", ("config.yml line 2", "webchat_per_minute", "integer")),
        ("office: {preset: hall\nweb: [\n", ("config.yml line", "not YAML")),
        ("just a sentence\n", ("config.yml line 1", "key: value")),
    ],
)
async def test_a_broken_config_stops_with_the_key_the_line_and_what_is_allowed(
    stopped: Running, config: str, words: tuple[str, ...]
):
    stopped.config.write_text(config, "utf-8")
    done = await stopped.command("serve")
    assert done.returncode not in (0, None)
    (line,) = done.stderr.strip().splitlines()
    assert [word for word in words if word not in line] == []
    assert done.stdout == "" and not stopped.data_dir.exists()


async def test_an_unknown_setting_in_the_environment_is_named(stopped: Running):
    stopped.environ["HUIYIN__OFFICE__PRESETT"] = "hall"
    done = await stopped.command("serve")
    (line,) = done.stderr.strip().splitlines()
    assert done.returncode not in (0, None) and "HUIYIN__OFFICE__PRESETT" in line


async def test_a_second_start_on_the_same_data_says_so_and_ends(office: Running):
    second = await office.command("serve")
    assert second.returncode not in (0, None)
    assert "already runs" in second.stderr and str(office.data_dir) in second.stderr
    async with office.http.get("/healthz") as response:
        assert response.status == 200


async def test_a_database_whose_key_is_missing_is_refused_and_not_given_a_new_key(
    tmp_path: Path, echoing: dict[str, str]
):
    async with running(tmp_path, **echoing) as service:
        assert await (await Chat.open(service)).say("您好")
        key = service.data_dir / "huiyin.key"
        kept = key.read_bytes()
        assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    done = await service.command("serve")
    assert done.returncode not in (0, None) and "key_file" in done.stderr
    assert not key.exists()
    key.write_bytes(kept)
    async with running(tmp_path, **echoing) as again:
        assert await (await Chat.open(again)).say("又好了") == "已收到：又好了"


@pytest.mark.parametrize("moment_s", [0.0, 0.3, 1.0])
async def test_it_ends_in_time_in_the_middle_of_its_start(tmp_path: Path, echoing: dict[str, str], moment_s: float):
    async with running(tmp_path, **echoing) as service:
        assert await (await Chat.open(service)).post("m1", "您好") == 202
        await asyncio.sleep(moment_s)
        await service.stop()
        assert service.process and service.process.poll() == 0


async def test_secrets_stand_in_no_line_of_the_log(office: Running):
    log = office.log.read_text("utf-8")
    assert [token for token in TOKENS.values() if token in log] == []
