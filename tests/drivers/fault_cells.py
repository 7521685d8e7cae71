"""The words of the fault table and how a run gets its word.

`tests/conftest.py` prints what the tests have noted. A word means the same for all drivers.
"""

import asyncio
from collections.abc import Awaitable, Callable

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import (
    Driver,
    EndUnproven,
    Order,
    RunAborted,
    RunFailed,
    RunOutcome,
)
from tests.until import until

Note = Callable[[str, object], None]

ASKS = "interrupted: asks"  # the run is over; a person says whether the part is good
FAILED = "failed, waits"  # the run is over, the part is not good
HELD = "held"  # until a person continues; then it is done
GOES_ON = "goes on, done"  # the run is not affected, or is found again
DONE = "done"  # nothing had to be asked
NOT_STARTED = "not started"  # refused before anything moved
CONFIRM = "needs confirm"  # no job starts until a person confirms the position
HOMING = "needs homing"  # no job starts until the machine is homed
MODES_SET = "modes set, done"  # what was left at the panel is set back before the start
OWN_PROGRAM = "waits for its own program"  # what runs is not the job; the job's own start is


async def word_of(driver: Driver, order: Order, ending: Awaitable[None]) -> str:
    """How the runner takes the end of a run: it asks again where the connection was lost."""
    try:
        await asyncio.wait_for(ending, 60)
    except Unavailable:
        return await asked_again(driver, order)
    except EndUnproven:
        return ASKS
    except RunFailed:
        return FAILED
    except RunAborted:
        return "aborted"
    return DONE


async def asked_again(
    driver: Driver, order: Order, go_on: Callable[[], object] = lambda: None
) -> str:
    """What is found of a run nobody watched, once the controller answers. `go_on`: what the machine
    does after that."""
    await until(lambda: _reached(driver))
    found = (await driver.inspect_run(order)).outcome
    if found is RunOutcome.UNDER_WAY:
        go_on()
        await asyncio.wait_for(driver.ended(), 60)
        return GOES_ON
    return DONE if found is RunOutcome.FINISHED else ASKS


async def _reached(driver: Driver) -> bool:
    try:
        await driver.connect()
    except Unavailable:
        return False
    return True
