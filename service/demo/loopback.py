"""A real web server on a free port of the loopback, for platforms and for our own routes."""

from collections.abc import Iterable

from aiohttp import web


class LoopbackServer:
    """Serves routes on 127.0.0.1; `url` is known once it is started."""

    def __init__(self, routes: Iterable[web.RouteDef]) -> None:
        self._app = web.Application()
        self._app.add_routes(list(routes))
        self._runner = web.AppRunner(self._app, shutdown_timeout=0.5)
        self.url = ""

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        await self._runner.cleanup()
