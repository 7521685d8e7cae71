"""Counts and texts that no controller can mean: they are bounded before anything uses them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain import text_gate
from cnc_station.engine.drivers.base import RunFailed
from cnc_station.engine.drivers.mtconnect import MTConnect
from cnc_station.engine.drivers.reported import MOST_PARTS, PartCounter
from cnc_station.engine.views import Doing, Identity, Status
from tests.drivers.mtconnect_agent import FakeAgent
from tests.drivers.watched import HEARTBEAT_S
from tests.until import until


def test_a_part_count_that_cannot_be_true_is_ignored_with_one_word_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counter = PartCounter()
    assert [counter.read(value) for value in (None, 0, 7, 7.0, MOST_PARTS)] == [
        *(None, 0, 7, 7, MOST_PARTS)
    ]
    assert not caplog.messages
    nonsense = (1e26, -1, 10**26, float("inf"), -5)
    assert [counter.read(value) for value in nonsense] == [None] * 5
    assert caplog.messages == ["ignored part count 1e+26: it must be from 0 to 1000000000"]
    counter.read(8)
    counter.read(-2)
    assert len(caplog.messages) == 2


@given(st.text(), st.text(), st.text())
def test_what_a_controller_says_is_bounded_and_has_no_hidden_character(
    why: str, program: str, remedy: str
) -> None:
    status = Status(Doing.ALARM, why * 100, remedy, program)
    assert text_gate.visible(status.why, lines=True) == status.why
    assert text_gate.visible(status.program) == status.program
    assert max(map(len, (status.why, status.remedy, status.program))) <= 2_000
    identity = Identity(program, (("Serial", why),))
    assert text_gate.visible(identity.controller) == identity.controller
    assert text_gate.visible(identity.details[0][1]) == identity.details[0][1]
    failed = RunFailed(f"the controller says: {why}")
    assert text_gate.visible(str(failed), lines=True) == str(failed)


@pytest.mark.parametrize("count", ["-1", "1E26", "NaN", "-Infinity", "1" + "0" * 400])
async def test_a_part_count_that_cannot_be_true_counts_as_none(
    agent: FakeAgent, count: str
) -> None:
    watcher = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S)
    await watcher.connect()
    agent.say(count=count, line="1E30", pgm="PLATE\u202e.NC")
    await until(lambda: watcher.status().program == "PLATE\\u202e.NC")
    assert watcher.status().parts is None
    assert watcher.status().line is None
    agent.say(count="13")
    await until(lambda: watcher.status().parts == 13)
    await watcher.close()
