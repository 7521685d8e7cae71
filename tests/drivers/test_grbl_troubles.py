"""Faults in the middle of a part on a fake GRBL, and how they are reported."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.base import NotReady, RunAborted, RunFailed, RunOutcome
from cnc_station.engine.drivers.grbl.operation import Operation
from cnc_station.engine.drivers.grbl.reports import Report
from cnc_station.engine.views import Doing
from tests.drivers.grbl_bench import (
    ASKED_BEFORE,
    FAST,
    LONG,
    QUICK,
    Bench,
    bench,
    order,
    sent,
    square,
)
from tests.drivers.grbl_fake import FakeGrbl
from tests.until import until


async def test_an_error_stops_the_lines_sent_after_it(at: Bench) -> None:
    at.fake.errors[8] = 33
    with pytest.raises(RunFailed, match=r"line 8 \(G1X20Y20F1200\): error:33, .*arc") as failed:
        await at.make(square(40))
    assert not failed.value.alarm
    assert at.fake.state == "Idle"
    assert not at.fake.axes.blocks
    assert at.fake.reset_while_moving == 0
    assert at.driver.status().doing is Doing.READY


async def test_an_error_holds_the_axes_at_once_during_any_other_action(
    at: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def waits(_: Operation) -> Report:
        monkeypatch.undo()
        await until(lambda: at.fake.state == "Hold:0")
        raise Conflict("no report")

    at.fake.errors[8] = 33
    ending = await at.begin(square(40))
    monkeypatch.setattr(Operation, "current_report", waits)
    with pytest.raises(Conflict, match="no report"):
        await at.driver.confirm_position()
    with pytest.raises(RunFailed, match="error:33"):
        await ending


async def test_a_connection_lost_while_a_wrong_program_is_stopped_keeps_the_error(
    at: Bench,
) -> None:
    at.fake.errors[8] = 33
    at.fake.at[9] = partial(setattr, at.fake, "deaf", True)
    with pytest.raises(RunFailed, match=r"error:33.*; then no answer"):
        await at.make(square(40))
    assert at.driver.status().doing is Doing.UNREACHABLE


async def test_a_reset_in_mid_job_fails_the_run_and_nothing_more_is_sent(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    at.fake.homing = True  # so it is locked after the restart
    at.fake.switch_off_and_on()
    taken = list(at.fake.taken)
    with pytest.raises(RunFailed, match="was reset near line"):
        await ending
    assert at.fake.taken == taken
    await at.shows(Doing.ALARM)
    messages = at.driver.traffic()
    welcome = next(i for i, m in enumerate(messages) if i > 10 and "help]" in m.text)
    assert not any(message.sent for message in messages[welcome:])


async def test_a_reset_by_an_operator_during_motion_fails_the_run(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    at.fake.reset()
    with pytest.raises(RunFailed, match="ALARM:3") as failed:
        await ending
    assert failed.value.alarm
    with pytest.raises(NotReady, match="position is not certain"):
        await at.driver.load(order(square(1)), 1)


async def test_an_alarm_in_mid_job_fails_the_run(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await at.takes(6)
    at.fake.raise_alarm(1)
    with pytest.raises(RunFailed, match=r"ALARM:1, a limit switch was hit.*near line") as failed:
        await ending
    assert failed.value.alarm
    await asyncio.sleep(QUICK.silence + 0.5)  # that would count as a lost connection
    assert at.driver.status().doing is Doing.ALARM
    await at.driver.unlock()
    assert "limit switch" in (await at.shows(Doing.NOT_READY)).why
    await at.driver.confirm_position()
    await at.shows(Doing.READY)


async def test_a_standstill_of_the_computer_is_not_a_silent_controller(
    hal: bool,
) -> None:
    hasty = replace(QUICK, silence=0.6)
    async with bench(FakeGrbl(hal=hal, speed=FAST), patience=hasty) as it:
        ending = await it.begin(square(40))
        await it.takes(6)
        time.sleep(hasty.silence + 0.2)  # noqa: ASYNC251 - the standstill
        await ending


async def test_a_cable_pulled_and_put_back_ends_the_run_with_an_unknown_result(
    hal: bool, pty: bool
) -> None:
    async with bench(FakeGrbl(hal=hal, speed=FAST), pty=pty) as it:
        ending = await it.begin(square(LONG))
        await it.takes(20)
        await it.wire.pull_out()
        with pytest.raises(Unavailable, match="lost"):
            await ending
        assert (await it.shows(Doing.UNREACHABLE)).remedy
        with pytest.raises(Unavailable):
            await it.driver.connect()
        with pytest.raises(Unavailable):
            await it.driver.hold()
        await it.wire.put_back()
        await it.driver.connect()
        found = await it.driver.inspect_run(order(square(LONG)))
        assert found.outcome is RunOutcome.STOPPED
        assert "of 403 lines" in found.detail
        taken = len(it.fake.taken)
        await until(lambda: not it.fake.axes.blocks)
        assert "during a run" in (await it.shows(Doing.NOT_READY)).why
        await it.driver.confirm_position()
        await it.shows(Doing.READY)
        assert taken <= len(it.fake.taken) < 403
        await it.make(square(2))


async def test_a_late_answer_does_not_disturb_a_reconnection(
    at: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = await at.begin(square(LONG))
    await at.takes(20)
    await at.wire.pull_out()
    with pytest.raises(Unavailable, match="lost"):
        await ending
    attach = at.fake.attach

    def and_answer(out: Callable[[bytes], None]) -> None:
        attach(out)
        at.fake.say("ok")

    monkeypatch.setattr(at.fake, "attach", and_answer)
    await at.wire.put_back()
    await at.driver.connect()
    assert (await at.driver.inspect_run(order(square(LONG)))).outcome is RunOutcome.STOPPED


async def test_a_replugged_controller_is_seen_by_inspect_run(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await at.takes(20)
    await at.wire.pull_out()
    at.fake.switch_off_and_on()
    with pytest.raises(Unavailable):
        await ending
    await at.wire.put_back()
    await at.driver.connect()
    found = await at.driver.inspect_run(order(square(LONG), run_id=2))
    assert found.outcome is RunOutcome.STOPPED
    assert "Idle" in found.detail
    assert "not known" in found.detail


async def test_a_silent_controller_is_unreachable(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await at.takes(6)
    at.fake.deaf = True
    with pytest.raises(Unavailable, match="no answer for"):
        await ending
    assert at.driver.status().doing is Doing.UNREACHABLE


async def test_a_missing_answer_does_not_count_as_done(at: Bench) -> None:
    at.fake.swallowed.add(20)
    with pytest.raises(RunFailed, match=r"has not answered 1 line.*lost on the wire"):
        await at.make(square(40))


async def test_one_answer_too_many_is_an_error(at: Bench) -> None:
    at.fake.at[len(sent(square(40)))] = partial(at.fake.say, "ok")
    with pytest.raises(RunFailed, match="more lines than it was sent"):
        await at.make(square(40))


async def test_a_controller_that_stalls_fails_the_run(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await at.takes(6)
    at.fake.stalled = True
    with pytest.raises(RunFailed, match="has not answered"):
        await ending
    assert at.driver.status().doing is Doing.READY


async def test_a_lost_newline_fails_the_run(at: Bench) -> None:
    at.fake.buffer.lost = {ASKED_BEFORE + square(40).index(b"\n", 200)}
    with pytest.raises(RunFailed, match=r"error:\d+|has not answered"):
        await at.make(square(40))


async def test_garbage_on_the_wire_is_ignored(at: Bench) -> None:
    rubbish = ("\x00\xff\xfe", "<Run|MPos:nonsense", "<Ru", "[", "error:", "ALARM:x", "okay", ">")
    for line, text in enumerate(rubbish, 3):
        at.fake.at[line] = partial(at.fake.say, text)
    source = square(20)
    await at.make(source)
    assert at.fake.taken == list(sent(source))


async def test_a_controller_with_a_custom_welcome_line_can_be_aborted(
    at: Bench,
) -> None:
    at.fake.welcome = "Router 12 is up"
    ending = await at.begin(square(LONG))
    await at.takes(6)
    await at.driver.abort()
    with pytest.raises(RunAborted):
        await ending
    await at.shows(Doing.READY)
