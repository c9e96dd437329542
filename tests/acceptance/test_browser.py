"""The pages in a real browser: what no request by hand shows. Skipped, saying so, where no Chromium is installed."""

import asyncio
import io
import os
import shutil
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from tests.acceptance.running import Running, running
from tests.fakes.rasa import FakeRasa

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM ON THIS MACHINE: the pages were not tried in a browser"),
]
PATIENCE_MS = 60_000
SLOW_UPLOAD = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 150_000}
PHOTO_PIXELS = 420
"""Of noise, which does not compress: about half a megabyte."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    rasa = FakeRasa()
    await rasa.start()
    settings = {"assistant__url": rasa.url, "assistant__token": rasa.token, "understanding__vectors": "false"}
    async with running(tmp_path_factory.mktemp("browser"), **settings) as service:
        yield service
    await rasa.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as player:
        found = await player.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        await found.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, service: Running) -> AsyncIterator[BrowserContext]:
    """A browser that was never here."""
    context = await browser.new_context(base_url=f"http://127.0.0.1:{service.port}")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


def line(page: Page, text: str) -> Locator:
    return page.locator("#log .line", has_text=text)


async def say(page: Page, text: str) -> None:
    await page.locator("#say textarea").fill(text)
    await page.locator("#say textarea").press("Enter")
    await expect(line(page, f"已收到：{text}")).to_have_count(1, timeout=PATIENCE_MS)


async def test_what_was_said_is_there_once_after_a_reload(context: BrowserContext):
    page = await context.new_page()
    await page.goto("/")
    await say(page, "路灯坏了<b>")
    await page.reload()
    await expect(line(page, "已收到：路灯坏了<b>")).to_have_count(1, timeout=PATIENCE_MS)
    await say(page, "还在吗")
    await expect(page.locator("#log .line.resident")).to_have_count(2)


async def test_a_file_shows_how_far_it_is_and_then_itself(context: BrowserContext):
    page = await context.new_page()
    await page.goto("/")
    await say(page, "你好")
    slow = await context.new_cdp_session(page)
    await slow.send("Network.enable")
    await slow.send("Network.emulateNetworkConditions", SLOW_UPLOAD)
    await page.evaluate(
        """() => { window.shown = [];
        setInterval(() => { const bar = document.querySelector("#log progress"); if (bar) window.shown.push(bar.value); }, 20); }"""
    )
    await page.locator("#say input[type=file]").set_input_files(
        {"name": "现场.png", "mimeType": "image/png", "buffer": photograph()}
    )
    await expect(page.locator("#log .line.resident a.file")).to_have_count(1, timeout=PATIENCE_MS)
    shown = await page.evaluate("window.shown")
    assert [value for value in shown if 0 < value < 1], shown[:20]
    assert shown == sorted(shown)


def photograph() -> bytes:
    written = io.BytesIO()
    Image.frombytes("RGB", (PHOTO_PIXELS, PHOTO_PIXELS), os.urandom(3 * PHOTO_PIXELS**2)).save(written, "PNG")
    return written.getvalue()


async def test_what_was_said_while_the_line_was_down_comes_once(context: BrowserContext, service: Running):
    page = await context.new_page()
    await page.goto("/")
    await say(page, "转人工")
    await context.set_offline(True)
    (talk,) = [item for item in await service.items("/conversations") if await holds(service, item["id"], "转人工")]
    await service.api("clerk", "POST", f"/conversations/{talk['id']}/take")
    status, _ = await service.api("clerk", "POST", f"/conversations/{talk['id']}/messages", {"text": "我是坐席，请讲"})
    assert status < 300
    await asyncio.sleep(1)
    await context.set_offline(False)
    await expect(line(page, "我是坐席，请讲")).to_have_count(1, timeout=PATIENCE_MS)
    await page.locator("#say textarea").fill("好的")
    await page.locator("#say textarea").press("Enter")
    await expect(page.locator("#log .line.resident", has_text="好的")).to_have_count(1, timeout=PATIENCE_MS)


async def holds(service: Running, conversation: int, text: str) -> bool:
    return any(item["text"] == text for item in await service.items(f"/messages?conversation={conversation}"))


async def test_a_page_asks_nobody_but_the_office(context: BrowserContext, service: Running):
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = await context.new_page()
    for path in ("/", "/guides", "/guides/property-fee", "/progress", "/appointments"):
        await page.goto(path)
    assert len(asked) > 5
    assert {urlsplit(url).netloc for url in asked} == {f"127.0.0.1:{service.port}"}


async def test_without_scripts_the_chat_works_all_the_same(browser: Browser, service: Running):
    context = await browser.new_context(base_url=f"http://127.0.0.1:{service.port}", java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/chat/plain")
    await page.locator("textarea").fill("没有脚本")
    await page.locator("button", has_text="发送").click()
    for _ in range(100):
        if "已收到：没有脚本" in await page.content():
            break
        await asyncio.sleep(0.2)
        await page.reload()
    assert (await page.content()).count("已收到：没有脚本") == 1
    await context.close()


async def test_no_page_has_an_error_in_its_scripts(context: BrowserContext):
    wrong: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    for path in ("/", "/guides", "/guides/property-fee", "/progress", "/appointments", "/chat/plain", "/staff/sign-in"):
        await page.goto(path)
    assert wrong == []


async def test_staff_put_a_canned_text_into_the_reply_and_tick_tickets(context: BrowserContext, service: Running):
    for number in range(2):
        body = {"kind": "complaint", "description": f"第{number}次多收停车费", "resident": {"name": "林小雨"}}
        status, _ = await service.api("clerk", "POST", "/tickets", body)
        assert status == 201
    canned = {"title": "核对账单", "purpose": "progress", "text": "{单位}正在核对账单。"}
    assert (await service.api("supervisor", "POST", "/canned-replies", canned))[0] == 201
    links = [word for word in service.log.read_text("utf-8").split() if "/staff/enter?token=" in word]
    page = await context.new_page()
    await page.goto(links[-1])
    await page.locator("button").first.click()
    await page.get_by_role("link", name="HY").first.click()
    await page.locator("summary", has_text="阶段性答复").first.click()
    form = page.locator('form[action$="/progress"]')
    await form.locator("summary", has_text="常用语").click()
    await form.locator("button", has_text="核对账单").click()
    await expect(form.locator("textarea")).to_have_value("物业服务中心正在核对账单。")
    await page.goto("/staff/")
    for box in await page.locator("input[name=ticket]").all():
        await box.check()
    await page.locator("#verb").select_option("accept")
    await page.get_by_role("button", name="继续").click()
    await page.get_by_role("button", name="先试算").click()
    await page.get_by_role("button", name="受理").click()
    await expect(page.locator("main")).to_contain_text("已经办了")
