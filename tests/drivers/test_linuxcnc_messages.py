"""Messages and errors of a real controller while a program runs."""

from functools import partial

import pytest

from cnc_station.engine.drivers.base import RunFailed
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.views import Doing
from tests import linuxcnc
from tests.drivers.linuxcnc_programs import HEAD, begin
from tests.until import until

pytestmark = pytest.mark.xdist_group("linuxcnc")

# Slow enough to see each message before the next one.
TALKING = (
    f"{HEAD}F240\nG1 X6\n(MSG, lube low)\nG1 X0\n(DEBUG, it stands at #5420)\nG1 X6\nG0 Z10\nM2\n"
)
ASKING = f"{HEAD}G1 X3\n(MSG, turn the part)\nM0\nG1 X6\nG0 Z8\nM2\n"
BEYOND = f"{HEAD}G1 X3\n(MSG, watch out)\nG1 X300\nG0 X0\nM2\n"
GIVING_UP = f"{HEAD}G1 X3\n(MSG, probing)\n(ABORT, no probe found)\nG1 X6\nM2\n"


def _says(driver: LinuxCnc, doing: Doing, why: str) -> bool:
    status = driver.status()
    return (status.doing, status.why) == (doing, why)


async def _made(driver: LinuxCnc, program: str) -> None:
    """Run a part from its start, which may report an error, to its end."""
    await begin(driver, program)
    await driver.ended()


async def test_a_message_of_the_program_is_shown_and_fails_nothing(milling: LinuxCnc) -> None:
    await begin(milling, TALKING)
    await until(partial(_says, milling, Doing.RUNNING, "lube low"))
    await until(partial(_says, milling, Doing.RUNNING, "it stands at 0.000000"))
    await milling.ended()
    assert milling.status().why == "it stands at 0.000000"
    said = [message.text for message in milling.traffic()]
    assert "OPERATOR_DISPLAY lube low" in said


async def test_a_message_before_a_stop_is_shown_until_the_program_continues(
    milling: LinuxCnc,
) -> None:
    await begin(milling, ASKING)
    await until(partial(_says, milling, Doing.HELD, "program stop (M0): turn the part"))
    await milling.resume()
    await until(lambda: milling.status().doing is not Doing.HELD)
    assert milling.status().why == ""
    await milling.ended()


@pytest.mark.parametrize(
    ("program", "error"),
    [
        (BEYOND, "Linear move on line 6 would exceed X's positive limit"),
        (GIVING_UP, "no probe found"),
    ],
)
async def test_an_error_among_messages_ends_the_run_with_its_text(
    milling: LinuxCnc, program: str, error: str
) -> None:
    with pytest.raises(RunFailed) as failed:
        await _made(milling, program)
    assert str(failed.value).startswith(error)
    assert "watch out" not in str(failed.value)


async def test_messages_from_before_a_run_do_not_belong_to_it(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    panel.make("mode", "mdi")
    for words in ("one", "two", "three"):
        panel.set(f"mdi (MSG, {words})")
    panel.make("mode", "auto")
    await until(lambda: milling.status().doing is Doing.READY)
    await begin(milling, ASKING)
    await until(partial(_says, milling, Doing.HELD, "program stop (M0): turn the part"))
    await milling.abort()
