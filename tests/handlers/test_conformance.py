"""Each of our handlers against what every handler has to do."""

from cnc_station.engine.handlers.registry import Delay
from tests.handlers.conformance import Conformance


class TestDelay(Conformance):
    handler = Delay()
    quick = {"durationMs": 5}  # noqa: RUF012 - a payload is never written to
    endless = {"durationMs": 3_600_000}  # noqa: RUF012 - as above
    failing = {"durationMs": 0, "shouldFail": True}  # noqa: RUF012 - as above
