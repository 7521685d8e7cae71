"""The controller for the driver of the README: one line asked, one line answered.

It is made up, and so is its protocol, so that the driver fits on a page.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cnc_station.engine.views import Doing

SPEED = 10.0  # program seconds per second
STEP_S = 0.01


class ExampleController:
    """Moves X by 1 mm for each program second."""

    def __init__(self) -> None:
        self.doing = Doing.READY
        self.last = "0 1 stopped"
        self.x = 0.0
        self._left_s = 0.0
        self._moving: asyncio.Task[None] | None = None

    def answer(self, words: str) -> str:
        word, *arguments = words.split()
        answers = {
            "who": lambda: "Example 1.0",
            "state": lambda: f"{self.doing} {self.x:.3f}",
            "last": lambda: self.last,
            "load": lambda: self._load(*arguments),
            "run": lambda: self._turn(Doing.READY, Doing.RUNNING),
            "hold": lambda: self._turn(Doing.RUNNING, Doing.HELD),
            "go": lambda: self._turn(Doing.HELD, Doing.RUNNING),
            "stop": self._stop,
        }
        return answers[word]()

    def _load(self, run: str, part: str, seconds: str) -> str:
        if self.doing is not Doing.READY:
            return "no"
        self.last, self._left_s = f"{run} {part} stopped", float(seconds)
        return "ok"

    def _turn(self, before: Doing, after: Doing) -> str:
        if self.doing is not before:
            return "no"
        self.doing = after
        self._say("under_way")
        if self._moving is None or self._moving.done():
            self._moving = asyncio.create_task(self._move())
        return "ok"

    def _stop(self) -> str:
        if self.doing in (Doing.RUNNING, Doing.HELD):
            self._end("stopped")
        return "ok"

    def _end(self, how: str) -> None:
        self.doing, self._left_s = Doing.READY, 0.0
        self._say(how)

    def _say(self, how: str) -> None:
        self.last = " ".join([*self.last.split()[:2], how])

    async def _move(self) -> None:
        while self.doing is not Doing.READY:
            await asyncio.sleep(STEP_S)
            if self.doing is Doing.RUNNING:
                self.x += STEP_S * SPEED
                self._left_s -= STEP_S * SPEED
                if self._left_s <= 0:
                    self._end("finished")

    async def settle(self) -> None:
        self._stop()
        if self._moving is not None:
            await self._moving


@asynccontextmanager
async def example_controller() -> AsyncIterator[int]:
    """Run the controller. Yields its port."""
    controller = ExampleController()

    async def serve(lines: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        to.write(f"{controller.answer((await lines.readline()).decode())}\n".encode())
        await to.drain()
        to.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    await controller.settle()
