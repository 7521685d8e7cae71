"""A station comes into the fleet under its name, or is refused it."""

import pytest

from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.store.stations import Heartbeat, Join
from tests.store.shop import Shop


def _join(incarnation: str, silence_s: float) -> Join:
    return Join(incarnation, "pc-1", "1.0", silence_s)


async def test_a_name_is_taken_while_its_station_is_heard_of(shop: Shop) -> None:
    await shop.write(_join("first", 15.0))
    shop.later(14.9)
    with pytest.raises(Conflict, match="named A is at work already"):
        await shop.write(_join("second", 15.0))
    shop.later(0.1)
    await shop.write(_join("second", 15.0))
    with pytest.raises(Fenced):
        await shop.write(Heartbeat("first", 300.0, 0.0, ()))


@pytest.mark.parametrize("silence_s", [0.0, 15.0])
async def test_a_station_that_died_comes_back_although_the_clock_was_set_back(
    shop: Shop, silence_s: float
) -> None:
    """As by a computer whose clock has no battery, after a power cut."""
    await shop.write(_join("first", silence_s))
    shop.later(-3600.0)
    await shop.write(_join("second", silence_s))
    assert shop.told() == ["station_joined", "station_joined"]


async def test_one_that_was_heard_of_a_moment_after_now_is_there(shop: Shop) -> None:
    """Its heartbeat began after this look, and was written before it."""
    await shop.write(_join("first", 15.0))
    shop.later(-0.1)
    with pytest.raises(Conflict, match="named A is at work already"):
        await shop.write(_join("second", 15.0))
