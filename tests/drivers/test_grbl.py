"""The GRBL driver makes parts on a fake controller, in both dialects."""

import asyncio
from math import inf

import pytest

from cnc_station.engine.drivers.base import RunAborted, RunFailed
from cnc_station.engine.views import Doing
from cnc_station.loop import application_loop
from tests.drivers.grbl_bench import FAST, LONG, Bench, bench, order, sent, square
from tests.drivers.grbl_fake import FakeGrbl
from tests.until import until


async def test_a_program_runs_to_its_end_and_reports_its_position(hal: bool, pty: bool) -> None:
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
    at.fake.memory.offsets["G54"] = (10.0, 20.0, -5.0)
    await at.make(b"G21G90\nG0X5Y6Z7\n")
    await until(lambda: at.driver.status().x == 5.0)
    status = at.driver.status()
    assert (status.y, status.z) == (6.0, 7.0)
    assert at.fake.axes.place == (15.0, 26.0, 2.0)


async def test_a_hold_returns_when_the_axes_stand_and_a_resume_when_they_move(
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


async def test_an_m0_holds_until_a_person_resumes(at: Bench) -> None:
    source = b"G21G90\nG0X5\nM0\nG0X10\nM30\n"
    ending = await at.begin(source)
    status = await at.shows(Doing.HELD)
    assert status.why.startswith("M0 on line 3")
    assert at.fake.axes.place[0] == 5.0
    await at.driver.hold()  # it is already held
    await at.driver.resume()
    await ending
    assert at.fake.axes.place[0] == 10.0


async def test_a_dwell_is_waited_for(at: Bench) -> None:
    """A controller shows Idle in a dwell, here for longer than the limit for idle."""
    at.fake.axes.speed = 1.0
    await at.make(b"G21G90\nG0X1\nG4P2.4\nG0X2\nM30\n")
    assert at.fake.axes.place[0] == 2.0


async def test_the_buffer_is_never_exceeded_in_ten_thousand_lines(pty: bool) -> None:
    fake = FakeGrbl(speed=inf)
    async with bench(fake, pty=pty) as it:
        source = square(10_000)
        await it.make(source)
    assert fake.buffer.overflowed == 0
    assert 100 < fake.buffer.most_waiting <= 128
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
        ("M7", "line 3.*without mist coolant"),
        ("T300", "line 3.*tool numbers up to T255"),
        ("G0 A90", "line 3.*the word A"),
        ("N10000001 G0 X1", "line 3.*line numbers"),
        ("G1 X1 F100 " + "Y1.00000000 " * 1 + "Z" + "0" * 80 + "1", "line 3.*longer than"),
    ],
)
async def test_unsupported_codes_are_refused_before_anything_moves(line: str, reason: str) -> None:
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


async def test_the_log_contains_the_wire_without_the_polls(at: Bench) -> None:
    await at.make(square(8))
    texts = [message.text for message in at.driver.traffic()]
    assert "G1X20Y0F1200" in texts
    assert any(text.startswith("<Run|") for text in texts)
    assert "?" not in texts


@pytest.mark.parametrize("on_pty", [False, True])
def test_it_runs_on_the_event_loop_of_the_window(on_pty: bool) -> None:
    async def part() -> list[str]:
        async with bench(FakeGrbl(speed=FAST), pty=on_pty) as it:
            await it.make(square(12))
            return it.fake.taken

    with asyncio.Runner(loop_factory=application_loop) as runner:
        assert runner.run(part()) == list(sent(square(12)))
