"""The results in the fault table, and how the result of a run is found.

`tests/conftest.py` prints what the tests have recorded. A result means the same for all drivers.
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

ASKS = "interrupted: asks"  # the run is over; a person decides whether the part is good
FAILED = "failed, waits"  # the run is over, the part is not good
HELD = "held"  # until a person resumes; then it is done
GOES_ON = "goes on, done"  # the run is not affected, or is found again
DONE = "done"  # nothing had to be decided
NOT_STARTED = "not started"  # refused before anything moved
CONFIRM = "needs confirm"  # no job starts until a person confirms the position
HOMING = "needs homing"  # no job starts until the machine is homed
MODES_SET = "modes set, done"  # modes left at the panel are set back before the start
OWN_PROGRAM = "waits for its own program"  # another program runs; the job waits for its own start


async def word_of(driver: Driver, order: Order, ending: Awaitable[None]) -> str:
    """Return the result as a run session decides it: it inspects the run if the connection was
    lost."""
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
    """Return the result of inspecting the run once the controller answers.

    `go_on` is what the machine does after that.
    """
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
