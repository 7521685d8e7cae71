"""One input to one target: how it ended, and how long it took."""

import time

from cnc_station.engine.domain.errors import CncStationError
from tests.fuzz.targets import Fuzzed

LONGEST_S = 1.0


def seconds_of(fuzzed: Fuzzed, data: bytes) -> float:
    """Return how long the target took. Raises what it must not raise."""
    begun = time.perf_counter()
    try:
        fuzzed.target(data)
    except CncStationError as error:
        if not str(error):
            raise AssertionError("an error without words") from error
    return time.perf_counter() - begun
