"""The GRBL driver against a false controller, in both dialects."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from math import inf

import pytest

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.base import Finding, NotReady, RunAborted, RunFailed
from cnc_station.engine.drivers.grbl import KIND
from cnc_station.engine.views import Doing
from cnc_station.loop import application_loop
from tests.drivers.grbl_bench import QUICK, Bench, bench, order, sent, square
from tests.drivers.grbl_fake import FakeGrbl
from tests.until import until

FAST = 40.0
LONG = 400  # sides, some 10 s at that speed: for what does not come to its end


@pytest.fixture(params=["grbl", "grblHAL"])
def hal(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "grblHAL")


@pytest.fixture(params=["tcp", "pty"])
def pty(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "pty")


@pytest.fixture
async def at(hal: bool) -> AsyncIterator[Bench]:
    async with bench(FakeGrbl(hal=hal, speed=FAST)) as it:
        yield it


async def test_who_answers_is_told_with_the_size_of_its_buffer(hal: bool, pty: bool) -> None:
    async with bench(FakeGrbl(hal=hal), pty=pty) as it:
        identity = await it.driver.connect()
        assert identity.controller == ("grblHAL 1.1f" if hal else "Grbl 1.1h")
        assert ("Receive buffer", "1024 bytes" if hal else "128 bytes") in identity.details
        assert it.driver.status().doing is Doing.READY


async def test_a_program_runs_to_its_end_and_says_where_it_is(hal: bool, pty: bool) -> None:
    async with bench(FakeGrbl(hal=hal, speed=FAST), pty=pty) as it:
        source = square(40)
        await it.make(source)
        assert it.fake.taken == list(sent(source))
        assert it.fake.axes.place == (0.0, 0.0, 0.0)
        assert it.fake.state == "Idle"
        running = [status for status in it.heard if status.doing is Doing.RUNNING]
        lines = [status.line for status in running if status.line is not None]
        assert lines == sorted(lines)
        assert len(set(lines)) > 5
        assert any(status.x is not None and status.feed_mm_min == 1200 for status in running)
        fractions = [status.fraction for status in running if status.fraction is not None]
        assert 0 < fractions[len(fractions) // 2] < 1
        assert running[-1].feed_override == 1.0
        assert it.driver.status().doing is Doing.READY


async def test_part_after_part_is_made(at: Bench) -> None:
    source = square(3)
    for part in (1, 2, 3):
        await at.driver.load(order(source, parts=3), part)
        await at.driver.start()
        await at.driver.ended()
    assert at.fake.taken == 3 * list(sent(source))


async def test_positions_are_those_of_the_workpiece(at: Bench) -> None:
    await at.make(b"G21G90\nG0X5Y6Z7\n")
    await until(lambda: at.driver.status().x == 5.0 - 10.0)
    status = at.driver.status()
    assert (status.y, status.z) == (6.0 - 20.0, 7.0 + 5.0)


async def test_a_hold_is_answered_when_the_axes_stand_and_a_resume_when_they_move(
    at: Bench,
) -> None:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    await at.driver.hold()
    assert at.fake.state == "Hold:0"
    place = at.fake.axes.place
    status = await at.shows(Doing.HELD)
    assert status.why == "feed hold"
    assert at.fake.axes.place == place
    await at.driver.resume()
    assert at.fake.axes.moving
    at.fake.axes.speed = 100 * FAST
    await ending
    assert at.fake.taken == list(sent(square(LONG)))


async def test_an_abort_ends_the_run_with_the_position_kept(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    await at.driver.abort()
    with pytest.raises(RunAborted, match="check the work zero"):
        await ending
    assert at.fake.reset_while_moving == 0
    assert at.fake.state == "Idle"
    assert not at.fake.axes.blocks
    assert (await at.shows(Doing.READY)).why == ""
    await at.make(square(3))


async def test_a_held_run_can_be_aborted(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    await at.driver.hold()
    await at.driver.abort()
    with pytest.raises(RunAborted):
        await ending
    assert at.fake.state == "Idle"


async def test_an_m0_holds_until_somebody_resumes(at: Bench) -> None:
    source = b"G21G90\nG0X5\nM0\nG0X10\nM30\n"
    ending = await at.begin(source)
    status = await at.shows(Doing.HELD)
    assert status.why.startswith("M0 on line 3")
    assert at.fake.axes.place[0] == 5.0
    await at.driver.hold()  # it is held already
    await at.driver.resume()
    await ending
    assert at.fake.axes.place[0] == 10.0


async def test_a_soft_limit_ends_the_run_in_an_alarm_that_can_be_unlocked(at: Bench) -> None:
    with pytest.raises(RunFailed, match=r"ALARM:2.*soft limit") as failed:
        await at.make(b"G21G90\nG0X5\nG1X2000F500\nG0X5\nM30\n")
    assert failed.value.alarm
    status = await at.shows(Doing.ALARM)
    assert "soft limit" in status.why
    with pytest.raises(NotReady, match="ALARM:2"):
        await at.driver.load(order(square(1)), 1)
    await at.driver.unlock()
    assert (await at.shows(Doing.READY)).why == ""
    await at.make(square(1))


async def test_a_locked_machine_starts_nothing(hal: bool) -> None:
    async with bench(FakeGrbl(hal=hal, homing=True, speed=FAST)) as it:
        assert it.driver.status().doing is Doing.ALARM
        with pytest.raises(NotReady, match=r"locked.*home the machine"):
            await it.driver.load(order(square(1)), 1)
        assert it.fake.lines == 0


async def test_a_machine_unlocked_but_not_homed_starts_nothing_until_it_was_homed(
    hal: bool,
) -> None:
    async with bench(FakeGrbl(hal=hal, homing=True, speed=FAST)) as it:
        await it.driver.unlock()
        status = await it.shows(Doing.NOT_READY)
        assert "without homing" in status.why
        assert "Home the machine" in status.remedy
        with pytest.raises(NotReady, match="not certain"):
            await it.driver.load(order(square(1)), 1)
        await it.driver.close()  # somebody homes it with another program
        await it.driver.connect()
        await it.make(square(1))


async def test_a_machine_homed_at_its_panel_is_ready_again(at: Bench) -> None:
    at.fake.homing = True
    await at.driver.connect()
    at.fake.raise_alarm(1)
    await at.shows(Doing.ALARM)
    await at.driver.unlock()
    await at.shows(Doing.NOT_READY)
    at.fake.home()
    await at.shows(Doing.READY)


async def test_a_machine_held_by_somebody_else_starts_nothing(at: Bench) -> None:
    at.fake.take(b"G0X900\n")
    assert (await at.shows(Doing.RUNNING)).why.startswith("Run: ")
    at.fake.take(b"!")
    assert (await at.shows(Doing.HELD)).why.startswith("Hold:")
    with pytest.raises(NotReady, match="did not start"):
        await at.driver.load(order(square(1)), 1)
    await until(lambda: at.fake.state == "Hold:0")
    at.fake.take(b"~")
    at.fake.axes.stop_dead()
    at.fake.checking = True
    assert "check mode" in (await at.shows(Doing.NOT_READY)).why


async def test_an_open_door_holds_the_run(at: Bench) -> None:
    ending = await at.begin(square(20))
    at.fake.door = True
    assert "safety door" in (await at.shows(Doing.HELD)).why
    with pytest.raises(Conflict, match="close it first"):
        await at.driver.resume()
    at.fake.door = False
    await ending


async def test_an_alarm_between_load_and_start_starts_nothing(at: Bench) -> None:
    await at.driver.load(order(square(1)), 1)
    at.fake.raise_alarm(1)
    with pytest.raises(NotReady, match="ALARM:1"):
        await at.driver.start()
    assert at.fake.lines == 0


async def test_a_controller_that_locks_itself_before_the_first_line_is_only_not_ready(
    at: Bench,
) -> None:
    at.fake.errors = dict.fromkeys(range(1, 20), 9)
    await at.driver.load(order(square(3)), 1)
    with pytest.raises(NotReady, match="error:9"):
        await at.driver.start()
    assert at.fake.taken == []


async def test_an_error_in_the_middle_stops_what_was_sent_after_it(at: Bench) -> None:
    at.fake.errors[8] = 33
    with pytest.raises(RunFailed, match=r"line 8 \(G1X20Y20F1200\): error:33, .*arc") as failed:
        await at.make(square(40))
    assert not failed.value.alarm
    assert at.fake.state == "Idle"
    assert not at.fake.axes.blocks
    assert at.fake.reset_while_moving == 0
    assert at.driver.status().doing is Doing.READY


async def test_an_error_holds_the_axes_at_once_whatever_else_is_being_done(at: Bench) -> None:
    at.fake.errors[8] = 33
    ending = await at.begin(square(40))
    async with at.driver._operation.acting:  # as a hold that waits for the axes
        await until(lambda: at.fake.state == "Hold:0")
    with pytest.raises(RunFailed, match="error:33"):
        await ending


async def test_a_connection_lost_while_a_wrong_program_is_stopped_hides_nothing(at: Bench) -> None:
    at.fake.errors[8] = 33
    at.fake.at[9] = partial(setattr, at.fake, "deaf", True)
    with pytest.raises(RunFailed, match=r"error:33.*and then no answer"):
        await at.make(square(40))
    assert at.driver.status().doing is Doing.UNREACHABLE


async def test_a_reset_in_mid_job_fails_the_run_and_nothing_more_is_sent(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    at.fake.homing = True  # so it comes up locked
    at.fake.switch_off_and_on()
    taken = list(at.fake.taken)
    with pytest.raises(RunFailed, match="was reset near line"):
        await ending
    assert at.fake.taken == taken
    await at.shows(Doing.ALARM)
    messages = at.driver.traffic()
    welcome = next(i for i, m in enumerate(messages) if i > 10 and "help]" in m.text)
    assert not any(message.sent for message in messages[welcome:])


async def test_somebody_elses_reset_of_a_moving_machine_fails_the_run(at: Bench) -> None:
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
    await at.shows(Doing.READY)


async def test_a_cable_pulled_out_and_put_back_ends_the_run_unknown(hal: bool, pty: bool) -> None:
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
        found = await it.driver.look(order(square(LONG)))
        assert found.finding is Finding.STOPPED
        assert "of 403 lines" in found.words
        taken = len(it.fake.taken)
        await until(lambda: not it.fake.axes.blocks)
        await it.shows(Doing.READY)
        assert taken <= len(it.fake.taken) < 403
        await it.make(square(2))


async def test_a_controller_that_was_replugged_says_so_to_who_looks(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await at.takes(20)
    await at.wire.pull_out()
    at.fake.switch_off_and_on()
    with pytest.raises(Unavailable):
        await ending
    await at.wire.put_back()
    await at.driver.connect()
    found = await at.driver.look(order(square(LONG), run_id=2))
    assert found.finding is Finding.STOPPED
    assert "Idle" in found.words
    assert "not known" in found.words


async def test_a_controller_that_says_nothing_any_more_is_unreachable(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await at.takes(6)
    at.fake.deaf = True
    with pytest.raises(Unavailable, match="no answer for"):
        await ending
    assert at.driver.status().doing is Doing.UNREACHABLE


async def test_an_answer_that_never_came_is_not_taken_for_done(at: Bench) -> None:
    at.fake.swallowed.add(20)
    with pytest.raises(RunFailed, match=r"has not answered 1 line.*lost on the wire"):
        await at.make(square(40))


async def test_an_answer_too_many_is_not_taken_for_one_to_a_line(at: Bench) -> None:
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
    at.fake.lost = {square(40).index(b"\n", 200)}
    with pytest.raises(RunFailed, match=r"error:\d+|has not answered"):
        await at.make(square(40))


async def test_garbage_on_the_wire_is_passed_over(at: Bench) -> None:
    rubbish = ("\x00\xff\xfe", "<Run|MPos:nonsense", "<Ru", "[", "error:", "ALARM:x", "okay", ">")
    for line, text in enumerate(rubbish, 3):
        at.fake.at[line] = partial(at.fake.say, text)
    source = square(20)
    await at.make(source)
    assert at.fake.taken == list(sent(source))


async def test_a_dwell_is_waited_for(at: Bench) -> None:
    """A controller shows Idle in a dwell; here for longer than an idle one is trusted."""
    at.fake.axes.speed = 1.0
    await at.make(b"G21G90\nG0X1\nG4P2.4\nG0X2\nM30\n")
    assert at.fake.axes.place[0] == 2.0


async def test_the_buffer_is_never_exceeded_in_ten_thousand_lines(pty: bool) -> None:
    fake = FakeGrbl(speed=inf)
    async with bench(fake, pty=pty) as it:
        source = square(10_000)
        await it.make(source)
    assert fake.overflowed == 0
    assert 100 < fake.most_waiting <= 128
    assert fake.taken == list(sent(source))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("O100 sub", "line 3"),
        ("#1=5", "line 3"),
        ("G1 X#1 F100", "line 3"),
        ("/G1 X5 F100", "line 3.*block delete"),
        ("G41 D1", "line 3.*G41"),
        ("M98 P100", "line 3"),
        ("T1 M61", "line 3.*M61"),
        ("G1 X1 F100 " + "Y1.00000000 " * 1 + "Z" + "0" * 80 + "1", "line 3.*longer than"),
    ],
)
async def test_what_it_does_not_know_is_refused_before_anything_moves(
    line: str, reason: str
) -> None:
    async with bench(FakeGrbl()) as it:
        source = f"G21 G90\nG0 X5\n{line}\nM30\n".encode()
        with pytest.raises(RunFailed, match=reason):
            await it.driver.load(order(source), 1)
        assert it.fake.lines == 0


async def test_a_job_without_a_program_is_refused(at: Bench) -> None:
    with pytest.raises(RunFailed, match="has none"):
        await at.driver.load(order(None), 1)


async def test_comments_numbers_and_what_follows_the_end_are_not_sent(at: Bench) -> None:
    await at.make(b"%\nO1000 (bracket)\ng21 g90 ; mm\n\nG0 X 5 (a!b?c~)\nM30\n%\nG0 X900\n")
    assert at.fake.taken == ["G21G90", "G0X5", "M30"]


async def test_the_log_holds_the_wire_without_the_polls(at: Bench) -> None:
    await at.make(square(8))
    texts = [message.text for message in at.driver.traffic()]
    assert "G1X20Y0F1200" in texts
    assert any(text.startswith("<Run|") for text in texts)
    assert "?" not in texts


async def test_an_abort_without_a_run_does_nothing(at: Bench) -> None:
    await at.driver.abort()
    await at.driver.load(order(square(1)), 1)
    await at.driver.abort()
    with pytest.raises(NotReady):
        await at.driver.start()
    assert at.fake.resets == 0


async def test_nothing_runs_so_nothing_is_held_or_resumed(at: Bench) -> None:
    with pytest.raises(Conflict):
        await at.driver.hold()
    with pytest.raises(Conflict):
        await at.driver.resume()


async def test_a_connection_again_and_a_close_again_are_harmless(at: Bench) -> None:
    await at.driver.connect()
    assert at.driver.status().doing is Doing.READY
    await at.driver.close()
    await at.driver.close()
    assert at.driver.status().doing is Doing.UNREACHABLE


async def test_half_a_line_left_by_somebody_else_moves_nothing(hal: bool) -> None:
    fake = FakeGrbl(hal=hal, speed=FAST)
    fake.take(b"G0X50")
    async with bench(fake) as it:
        assert (await it.driver.connect()).controller.endswith("1.1f" if hal else "1.1h")
        assert fake.taken == []
        await it.make(square(2))


async def test_two_who_connect_at_once_share_the_wire(hal: bool, pty: bool) -> None:
    async with bench(FakeGrbl(hal=hal, speed=FAST), pty=pty) as it:
        await asyncio.gather(it.driver.connect(), it.driver.connect())
        await it.make(square(2))


async def test_a_busy_controller_is_not_disturbed_by_connecting(hal: bool) -> None:
    fake = FakeGrbl(hal=hal, speed=1.0)
    fake.take(b"G0X100\n")
    async with bench(fake) as it:
        await until(lambda: fake.axes.moving)
        identity = await it.driver.connect()
        assert ("Shows", "Run") in identity.details
        assert (await it.driver.look(order(square(1)))).words.count("It still makes") == 1
        assert fake.axes.moving
        fake.axes.speed = FAST
        await it.shows(Doing.READY)
        await it.make(square(1))
        assert fake.resets == 0


async def test_a_welcome_on_connecting_is_expected(hal: bool) -> None:
    fake = FakeGrbl(hal=hal, speed=FAST)
    fake.greets = True
    async with bench(fake) as it:
        await it.make(square(2))


async def test_a_board_that_boots_when_its_port_is_opened_is_waited_for(hal: bool) -> None:
    fake = FakeGrbl(hal=hal, speed=FAST)
    fake.boots_for = 1.2  # longer than a poll counts as lost
    async with bench(fake) as it:
        assert it.driver.status().doing is Doing.READY
        await it.make(square(2))


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({}, "where the controller is"),
        ({"port": "host:99999"}, "TCP port"),
        ({"port": "COM3", "baud": "fast"}, "baud"),
    ],
)
def test_settings_that_can_not_work_are_refused(settings: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        KIND.make(settings)


@pytest.mark.parametrize(
    "port", ["/dev/ttyUSB0", "COM3", "10.0.0.5:23", "tcp://cnc:23", "[::1]:23"]
)
def test_ports_and_addresses_are_told_apart(port: str) -> None:
    KIND.make({"port": port, "baud": "115200"})


@pytest.mark.parametrize(
    ("port", "why"),
    [
        ("/dev/none-such", "No such file"),
        ("127.0.0.1:1", "refused"),
        ("/dev/null", "ioctl"),
        ("a.invalid:23", "[Nn]ame"),
    ],
)
async def test_a_port_that_is_not_there_is_unavailable(port: str, why: str) -> None:
    with pytest.raises(Unavailable, match=f"^{port}: .*{why}"):
        await KIND.make({"port": port}).connect()


async def test_a_serial_port_serves_one_program_at_a_time() -> None:
    async with bench(FakeGrbl(), pty=True) as it:
        with pytest.raises(Unavailable, match="another program uses this port"):
            await KIND.make({"port": it.wire.port}).connect()


@pytest.mark.parametrize("on_pty", [False, True])
def test_it_drives_on_the_windows_own_loop(on_pty: bool) -> None:
    async def part() -> list[str]:
        async with bench(FakeGrbl(speed=FAST), pty=on_pty) as it:
            await it.make(square(12))
            return it.fake.taken

    with asyncio.Runner(loop_factory=application_loop) as runner:
        assert runner.run(part()) == list(sent(square(12)))
