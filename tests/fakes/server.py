"""A real web server on a free port of the loopback; the demo's platforms stand on it too."""

from service.demo.loopback import LoopbackServer

__all__ = ["LoopbackServer"]
