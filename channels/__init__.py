"""The doors residents come through: one folder or file per channel, the platform's protocol and nothing else."""

from channels.base import Channel
from channels.desk import Desk
from channels.email import Email
from channels.phone import Phone
from channels.sms import Sms
from channels.webchat import WebChat
from channels.wechat import WeChat

CHANNELS: dict[str, type[Channel]] = {
    "wechat": WeChat,
    "webchat": WebChat,
    "email": Email,
    "phone": Phone,
    "sms": Sms,
    "desk": Desk,
}
"""Every channel by its name in addresses (`wechat:oX…`)."""
