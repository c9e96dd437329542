"""The WeChat platform that bites; the demo plays on it too, so it lives with the service."""

from service.demo.wechat import FakeWeChat, Keys, Try, Window, decrypt, encrypt, signature

__all__ = ["FakeWeChat", "Keys", "Try", "Window", "decrypt", "encrypt", "signature"]
