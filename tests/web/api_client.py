"""A client of the API of a station that a test has started."""

from typing import Any

import aiohttp


class Client:
    """Speaks JSON to the API of one station."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def __call__(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        async with self.session.request(
            method,
            f"/api/v1{path}",
            json=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        ) as answer:
            self.headers = answer.headers
            content = await answer.read()
            return answer.status, await answer.json(content_type=None) if content else None
