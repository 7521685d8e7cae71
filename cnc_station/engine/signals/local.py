"""Wake-ups inside one process: an asyncio event for each service that waits for work."""

import asyncio


class Wake:
    """A hint that there may be something to do. Hints given while one is pending are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None

    def hint(self) -> None:
        """Wake whoever waits, or let the next wait return at once."""
        self._event.set()

    def hint_within(self, seconds: float) -> None:
        """The same in so long, unless somebody looks before that for another reason."""
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(seconds, self.hint)

    def forget(self) -> None:
        """Drop a hint that has yet to come."""
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def wait(self, at_most_s: float) -> None:
        """Until a hint, or for `at_most_s`: the slow tick that makes up for a lost one."""
        try:
            async with asyncio.timeout(at_most_s):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
        self.forget()
