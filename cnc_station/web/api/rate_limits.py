"""How far an account has used its limits, told with every answer that counts: the fields of
draft-ietf-httpapi-ratelimit-headers-11, which may still change."""

import math
from collections.abc import Mapping

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.limits import CREATE
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import LimitsNow


async def limit_headers(door: Asks, counted: str) -> Mapping[str, str]:
    """Return the fields for one of the rates; none without such a limit, or if it can't be read:
    what was asked for is done by then."""
    try:
        state = await door.ask(LimitsNow())
    except CncStationError:
        return {}
    rate = state.create if counted == CREATE else state.run
    if rate is None:
        return {}
    return {
        "RateLimit-Policy": f'"{rate.name}";q={rate.count};w={rate.window_s}',
        "RateLimit": f'"{rate.name}";r={rate.left};t={max(math.ceil(rate.reset_s), 0)}',
    }
