"""What is to be done about one run at its controller, one thing after the other."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from cnc_station.engine.domain.errors import CncStationError, Conflict

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]


class RunInbox:
    """Serves what comes in while it is open, in order; what comes before waits for that.

    Each asks the controller and writes what it did, so that no two may overlap. A task serves the
    inbox only while there is something in it: most runs end without.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Work, asyncio.Future[None]]] = deque()
        self._open = False
        self._serving: asyncio.Task[None] | None = None
        self._in_hand: asyncio.Future[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is in hand or waits."""
        return self._serving is not None or bool(self._waiting)

    def put(self, work: Work) -> asyncio.Future[None]:
        """Done when the work is, with its error if it fails."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, answer))
        self._serve_if_open()
        return answer

    def open(self) -> None:
        """The run is at its machine: serve."""
        self._open = True
        self._serve_if_open()

    def refuse(self, why: str) -> None:
        """Nothing that still waits will be done; what is being done ends by itself."""
        self._open = False
        while self._waiting:
            _, answer = self._waiting.popleft()
            _settle(answer, Conflict(why))

    def close(self, why: str) -> None:
        """Break off what is being done, too."""
        self.refuse(why)
        if self._serving is not None:
            self._serving.cancel()
            if self._in_hand is not None:
                _settle(self._in_hand, Conflict(why))

    def _serve_if_open(self) -> None:
        if self._open and self._waiting and self._serving is None:
            self._serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        try:
            while self._open and self._waiting:
                work, self._in_hand = self._waiting.popleft()
                try:
                    await work()
                except CncStationError as error:
                    _settle(self._in_hand, error)
                except Exception as error:
                    log.exception("a run's message failed")
                    _settle(self._in_hand, error)
                else:
                    _settle(self._in_hand, None)
        finally:
            self._serving = self._in_hand = None


def _settle(answer: asyncio.Future[None], error: Exception | None) -> None:
    """Unless whoever asked has gone."""
    if answer.done():
        return
    if error is None:
        answer.set_result(None)
    else:
        answer.set_exception(error)
