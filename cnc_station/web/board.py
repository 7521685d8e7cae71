"""`GET /board`: the shop floor on a phone or a television, live and read-only."""

import asyncio
from functools import cache

from aiohttp import web

from cnc_station.web.page import Page, assemble

PATH = "/board"


@cache
def _page() -> Page:
    return assemble("board", asks=True)


async def _show(_request: web.Request) -> web.Response:
    return (await asyncio.to_thread(_page)).response()


def add_board(app: web.Application) -> None:
    """Serve the board. It asks the API, and hears of changes by /ws, as any other client."""
    app.router.add_get(PATH, _show)
