"""The README's table of channels is what the channels say of themselves."""

import re
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from channels import CHANNELS
from channels.base import Capabilities, LocalNews
from channels.desk import Desk
from channels.email import Email
from channels.email.settings import Mailbox
from channels.files import FileStore
from channels.phone import Phone
from channels.sms import Sms, SmsSettings
from channels.table import render_table
from channels.webchat import WebChat, WebChatLimits
from channels.wechat import WeChat, WeChatAccount
from core.db import Database
from core.inbox_writer import InboxWriter
from tests.fakes.passive import FakePassive

README = Path(__file__).parents[2] / "README.md"


async def every_channel(db: Database, folder: Path) -> dict[str, Capabilities]:
    """Each channel as an office has it that has set up everything."""
    writer, files = InboxWriter(db), FileStore(folder)
    box = Mailbox(address="office@office.example", token=SecretStr("t"), smtp_host="127.0.0.1")
    sms = SmsSettings(kind="http", url="http://127.0.0.1/sms")

    async def on_report(*_: Any) -> bool:
        return True

    async with aiohttp.ClientSession() as http:
        def wechat(kind: Any) -> WeChat:
            account = WeChatAccount(
                app_id="wx1", token=SecretStr("t"), mode="plain", kind=kind, notice_template="template"
            )
            return WeChat("main", account, writer, db, http, FakePassive())

        channels: dict[str, Any] = {
            "wechat (service account)": wechat("service"),
            "wechat (subscription, unverified)": wechat("subscription"),
            "webchat": WebChat(WebChatLimits(), writer, db, LocalNews(), files),
            "email": Email("office", box, writer, files, db),
            "sms": Sms(sms, http, on_report),
            "phone": Phone(SecretStr("t"), writer, db),
            "desk": Desk(),
        }
        return {name: channel.capabilities for name, channel in channels.items()}


async def test_the_table_of_the_readme_is_what_the_channels_say(db: Database, tmp_path: Path):
    channels = await every_channel(db, tmp_path)
    found = re.search(r"<!-- channels -->\n(.*?)\n<!-- /channels -->", README.read_text("utf-8"), re.S)
    assert found and found[1] == render_table(channels.items()), render_table(channels.items())


async def test_no_channel_is_missing_from_it(db: Database, tmp_path: Path):
    assert {name.partition(" ")[0] for name in await every_channel(db, tmp_path)} == set(CHANNELS)
