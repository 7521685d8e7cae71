"""Wake-ups inside one process: an asyncio event for each service that waits for work."""

import asyncio


class Wake:
    """A hint that there may be something to do. Hints given while one is pending are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def hint(self) -> None:
        """Wake whoever waits, or let the next wait return at once."""
        self._event.set()

    async def wait(self, at_most_s: float) -> None:
        """Until a hint, or for `at_most_s`: the slow tick that makes up for a lost one."""
        try:
            async with asyncio.timeout(at_most_s):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
