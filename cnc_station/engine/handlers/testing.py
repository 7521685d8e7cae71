"""Handlers for trying out a station: echo, delay and log."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cnc_station.engine.domain import checks
from cnc_station.engine.domain.errors import FieldError
from cnc_station.engine.handlers.base import HandlerFailed, HandlerOrder, HandlerResult

log = logging.getLogger(__name__)

LONGEST_MS = 86_400_000
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_REPORT_EVERY_S = 0.2
_MOST_MESSAGE = 2_000


class Echo:
    """Implements `Handler`: returns its payload."""

    name = "test.echo"

    def check(self, payload: Mapping[str, Any]) -> Iterable[FieldError]:  # noqa: ARG002 - any will do
        return ()

    async def run(self, order: HandlerOrder, progress: Callable[[float], None]) -> HandlerResult:
        payload = dict(order.payload)
        order.output.write(json.dumps(payload, ensure_ascii=False, indent=2) + "\n")
        progress(1.0)
        return HandlerResult(json.dumps(payload, ensure_ascii=False))


class Delay:
    """Implements `Handler`: takes its time, and fails if asked to.

    Payload: `durationMs` (default 1000), `shouldFail`, `failMessage`.
    """

    name = "test.delay"

    def check(self, payload: Mapping[str, Any]) -> Iterable[FieldError]:
        asked = payload.get("durationMs", 1000)
        if not checks.number(asked) or not 0 <= asked <= LONGEST_MS:
            yield FieldError("durationMs", f"must be a number from 0 to {LONGEST_MS:,}")
        if not isinstance(payload.get("shouldFail", False), bool):
            yield FieldError("shouldFail", "must be true or false")
        yield from checks.text("failMessage", payload.get("failMessage", ""), _MOST_MESSAGE)

    async def run(self, order: HandlerOrder, progress: Callable[[float], None]) -> HandlerResult:
        total_s = float(order.payload.get("durationMs", 1000)) / 1000
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while (left_s := begun + total_s - loop.time()) > 0:
            progress(1 - left_s / total_s)
            await asyncio.sleep(min(left_s, _REPORT_EVERY_S))
        if order.payload.get("shouldFail") is True:
            raise HandlerFailed(
                str(order.payload.get("failMessage") or "failed as it was asked to")
            )
        progress(1.0)
        return HandlerResult(f"waited {total_s:g} s")


class Log:
    """Implements `Handler`: writes a line into the station's log.

    Payload: `message`, `level` (debug, info, warning, error; default info).
    """

    name = "test.log"

    def check(self, payload: Mapping[str, Any]) -> Iterable[FieldError]:
        message = payload.get("message", "")
        yield from checks.text("message", message, _MOST_MESSAGE, wanted=True)
        if payload.get("level", "info") not in _LEVELS:
            yield FieldError("level", f"must be one of {', '.join(_LEVELS)}")

    async def run(self, order: HandlerOrder, progress: Callable[[float], None]) -> HandlerResult:
        message = " ".join(str(order.payload["message"]).split())  # one line in the log
        level = str(order.payload.get("level", "info"))
        log.log(_LEVELS[level], "job %s: %s", order.job_id, message)
        order.output.write(message + "\n")
        progress(1.0)
        return HandlerResult(message)
