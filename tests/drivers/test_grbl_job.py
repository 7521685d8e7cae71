"""When a part is proven to be done, and when it is known to be stuck."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.drivers.grbl.job import Job
from cnc_station.engine.drivers.grbl.prepare import prepare
from cnc_station.engine.drivers.grbl.reports import Make, Picture, Report
from cnc_station.engine.drivers.grbl.settings import DEFAULT
from tests.drivers.grbl_bench import order

IDLE = Report("Idle", machine=(0.0, 0.0, 0.0))
RUN = Report("Run", axes=(1.0, 0.0, 0.0))
NAMELESS = Make()
SOURCE = b"G21G90\n\nG0X1\nG4P7\nM3S1000\nG0X9\nM30\n"


def a_job(source: bytes, make: Make = NAMELESS) -> Job:
    it = order(source)
    prepared = prepare(it.program, it.name, source, make)
    return Job(it, 1, prepared, make, zero_cleared_by_reset=False)


@pytest.fixture
async def job() -> Job:
    return a_job(SOURCE)


def shown(report: Report) -> Picture:
    picture = Picture()
    picture.take(report)
    return picture


def take_all(job: Job, *, polls: int) -> None:
    job.start()
    for _ in job.streamer.due():
        job.take_answer(polls)


async def test_idle_counts_only_when_every_line_was_answered(job: Job) -> None:
    job.start()
    lines = job.streamer.due()
    for _ in lines[1:]:
        job.take_answer(1)
    assert not any(job.proven(shown(IDLE), poll) for poll in range(2, 10))


async def test_idle_counts_from_the_second_report_asked_for_after_the_last_answer(job: Job) -> None:
    take_all(job, polls=5)
    assert not job.proven(shown(IDLE), 5)  # requested before that answer
    assert not job.proven(shown(IDLE), 6)
    assert job.proven(shown(IDLE), 7)


async def test_a_machine_that_moves_again_after_idle_is_not_done(job: Job) -> None:
    take_all(job, polls=5)
    assert not job.proven(shown(IDLE), 6)
    assert not job.proven(shown(RUN), 7)
    assert not job.proven(shown(IDLE), 8)
    assert job.proven(shown(IDLE), 9)


async def test_moves_waiting_in_the_planner_are_not_done(job: Job) -> None:
    take_all(job, polls=5)
    picture = shown(replace(IDLE, blocks_free=15))
    picture.take(replace(IDLE, blocks_free=14))
    assert not any(job.proven(picture, poll) for poll in range(6, 10))


@pytest.mark.parametrize(("answered", "patience"), [(0, 5.0), (2, 12.0), (3, 125.0)])
async def test_an_idle_machine_is_given_the_time_its_line_may_take(
    job: Job, answered: int, patience: float
) -> None:
    job.start()
    job.streamer.due()
    for _ in range(answered):
        job.take_answer(0)
    picture = shown(IDLE)
    assert not job.stall_reason(picture, 100.0, DEFAULT)
    assert not job.stall_reason(picture, 100.0 + patience, DEFAULT)
    assert "something was lost" in job.stall_reason(picture, 100.1 + patience, DEFAULT)


async def test_a_machine_that_runs_without_moving_is_stuck_after_a_minute(job: Job) -> None:
    job.start()
    job.streamer.due()
    assert not job.stall_reason(shown(RUN), 0.0, DEFAULT)
    moved = shown(replace(RUN, axes=(1.0, 0.0, 0.0, 9.0)))
    assert not job.stall_reason(moved, 50.0, DEFAULT)
    assert not job.stall_reason(moved, 110.0, DEFAULT)
    assert "has not moved for 60 s, at line 1" in job.stall_reason(moved, 110.1, DEFAULT)


async def test_a_held_machine_is_never_stuck(job: Job) -> None:
    job.start()
    job.streamer.due()
    held = shown(replace(IDLE, state="Hold", sub=0))
    assert not any(job.stall_reason(held, now, DEFAULT) for now in (0.0, 1e3, 1e6))


async def test_the_present_line_is_behind_the_lines_taken(job: Job) -> None:
    take_all(job, polls=0)
    picture = shown(replace(RUN, blocks_free=15))
    assert job.line(picture) == 7
    picture.take(replace(RUN, blocks_free=14))
    assert job.line(picture) == 6
    picture.take(replace(RUN, blocks_free=13))
    assert job.line(picture) == 3
    assert job.fraction(3) == pytest.approx(0.0)
    later, last = job.fraction(6), job.fraction(7)
    assert later is not None
    assert last is not None
    assert 0.5 < later < last <= 1.0


async def test_without_planner_reports_the_line_is_found_by_position() -> None:
    source = b"G21G90\nG0X10Y0\nG1X20F500\nX0\nY10\nX0Y0\nM30\n"
    job = a_job(source)
    take_all(job, polls=0)
    picture = Picture()
    lines = []
    for x, y in ((2, 0), (9, 0), (12, 0), (19, 0), (18, 0), (1, 0), (0, 3), (0, 3), (0, 2), (0, 1)):
        picture.take(Report("Run", work=(x, y, 0)))
        lines.append(job.line(picture))
    assert lines == [2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    picture.take(Report("Idle", work=(0, 0, 0)))
    assert job.line(picture) == 7


async def test_a_line_number_reported_by_the_controller_is_used() -> None:
    source = b"N10G21G90\nN20G0X10\n(rough)\nN30G1X20F500\nN30X0\nM30\n"
    job = a_job(source)
    take_all(job, polls=0)
    assert job.line(shown(replace(RUN, line=20))) == 2
    assert job.line(shown(replace(RUN, line=30, blocks_free=15))) == 6  # ambiguous


@given(
    moves=st.lists(st.tuples(*[st.integers(-9, 9)] * 2), min_size=1, max_size=30),
    seen=st.lists(st.tuples(*[st.floats(-12, 12)] * 2), max_size=30),
)
async def test_the_line_found_by_position_never_goes_back(
    moves: list[tuple[int, int]], seen: list[tuple[float, float]]
) -> None:
    source = "".join(["G21G90F500G0X20\n", *(f"G1X{x}Y{y}\n" for x, y in moves)]).encode()
    job = a_job(source, Make(buffer=4096))
    take_all(job, polls=0)
    picture = Picture()
    last = 0
    for x, y in seen:
        picture.take(Report("Run", work=(x, y, 0)))
        line = job.line(picture)
        assert line is not None
        assert last <= line <= len(moves) + 1
        last = line
