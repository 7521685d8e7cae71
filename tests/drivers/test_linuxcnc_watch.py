"""When a run is done, from the snapshots seen: the cases that a real machine shows too rarely."""

from dataclasses import replace

import pytest

from cnc_station.engine.domain.nc import read
from cnc_station.engine.drivers.base import EndUnproven, RunFailed
from cnc_station.engine.drivers.linuxcnc.ending import ending_of
from cnc_station.engine.drivers.linuxcnc.files import Note
from cnc_station.engine.drivers.linuxcnc.run_monitor import RunMonitor
from cnc_station.engine.drivers.linuxcnc.snapshot import Snapshot

PATH = "/programs/cnc-run-1-part-1.ngc"
START = (0.0, 0.0, 5.0)
# Ten seconds to X10, ten back. It ends where it starts, so that the position alone proves nothing.
THERE_AND_BACK = b"G21 G90 G54 G49\nG0 X0 Y0 Z5\nF60\nG1 X10\nG1 X0\nM2\n"
# The same without a position that can be compared.
ANYWHERE = THERE_AND_BACK.replace(b"G54", b"G55")
SNAPSHOT = Snapshot(
    state="RUNNING",
    mode="AUTO",
    estop=False,
    on=True,
    enabled=True,
    errors=(),
    message="",
    program=PATH,
    line=4,
    codes=frozenset({"G54", "G49"}),
    homed=True,
    place=START,
    z_is_work=True,
    zero=(0.0, 0.0, 0.0),
    feed=60.0,
    speed=0.0,
    turns=None,
    coolant=False,
    tool=None,
    feed_override=1.0,
    spindle_override=1.0,
)
IDLE = replace(SNAPSHOT, state="IDLE", line=5)
AWAY = (7.0, 0.0, 5.0)


def watch(source: bytes = THERE_AND_BACK) -> RunMonitor:
    return RunMonitor(PATH, ending_of(read(source), source), Note(START), at=0.0)


def judged(watch: RunMonitor, *seen: tuple[float, Snapshot]) -> str:
    """Return why it failed; "" if it is done."""
    _seen(watch, *seen)
    assert watch.verdict is None or isinstance(watch.verdict, RunFailed)
    return str(watch.verdict or "")


def unproven(watch: RunMonitor, *seen: tuple[float, Snapshot]) -> str:
    """Return why a person has to decide."""
    _seen(watch, *seen)
    assert isinstance(watch.verdict, EndUnproven)
    return str(watch.verdict)


def _seen(watch: RunMonitor, *seen: tuple[float, Snapshot]) -> None:
    for at, snapshot in seen:
        watch.observe(snapshot, at)
    assert watch.ended.is_set()


def test_back_at_its_end_after_it_was_seen_on_its_way_it_is_done() -> None:
    on_its_way = replace(SNAPSHOT, line=5, place=AWAY)
    assert not judged(watch(), (12.0, on_its_way), (25.0, IDLE), (25.1, IDLE))


def test_one_snapshot_of_an_idle_controller_is_not_enough() -> None:
    run = watch()
    run.observe(replace(SNAPSHOT, line=5, place=AWAY), 12.0)
    run.observe(IDLE, 19.9)
    assert not run.ended.is_set()


def test_the_line_of_the_run_before_does_not_count_for_this_run() -> None:
    run = watch()
    run.observe(replace(SNAPSHOT, line=5), 0.1)  # not moved yet: still the line of the last part
    run.observe(replace(SNAPSHOT, line=4), 0.2)
    assert not run.note.late


def test_a_run_stopped_before_it_moved_stands_at_its_end_and_is_not_done() -> None:
    assert "before its end" in judged(watch(), (0.1, SNAPSHOT), (0.2, IDLE), (0.3, IDLE))


def test_without_a_comparable_position_the_last_line_decides() -> None:
    first = replace(SNAPSHOT, line=4, place=AWAY)
    last = replace(SNAPSHOT, line=5, place=AWAY)
    early = unproven(watch(ANYWHERE), (8.0, first), (8.1, IDLE), (8.2, IDLE))
    assert "there is no proof that it reached its end, in line 4" in early
    assert not judged(watch(ANYWHERE), (19.9, last), (20.0, IDLE), (20.1, IDLE))


@pytest.mark.parametrize(
    "said", ["Linear move on line 5 would exceed X's positive limit", "anything"]
)
def test_an_error_always_fails_a_run(said: str) -> None:
    on_its_way = replace(SNAPSHOT, line=5, place=AWAY, errors=(said,))
    assert judged(watch(), (12.0, on_its_way), (25.0, IDLE), (25.1, IDLE)) == said


@pytest.mark.parametrize(
    "said",
    [
        "can't do that (EMC_TASK_PLAN_OPEN) in auto mode with the interpreter waiting",
        "Can't switch mode while mode is AUTO and interpreter is not IDLE",
        "Unexpected realtime delay on task 0 with period 1000000",
    ],
)
def test_a_refused_command_of_an_operator_does_not_fail_a_run(said: str) -> None:
    on_its_way = replace(SNAPSHOT, line=5, place=AWAY, errors=(said,))
    assert not judged(watch(), (12.0, on_its_way), (25.0, IDLE), (25.1, IDLE))


def test_a_late_error_counts() -> None:
    on_its_way = replace(SNAPSHOT, line=5, place=AWAY)
    late = replace(IDLE, errors=("joint 0 following error",))
    assert judged(watch(), (12.0, on_its_way), (25.0, IDLE), (25.1, late))


def test_another_program_in_its_place_ends_it() -> None:
    other = replace(SNAPSHOT, program="/programs/other.ngc")
    assert "another program was started" in unproven(watch(), (1.0, SNAPSHOT), (2.0, other))
    opened = replace(IDLE, program="/programs/other.ngc")
    assert "another program was opened" in unproven(
        watch(), (1.0, SNAPSHOT), (2.0, opened), (2.1, opened)
    )


@pytest.mark.parametrize("mode", ["MDI", "MANUAL"])
def test_after_another_mode_a_person_has_to_decide_at_any_position(mode: str) -> None:
    on_its_way = replace(SNAPSHOT, line=5, place=AWAY)
    other = replace(IDLE, mode=mode)
    words = f"switched to {mode} mode"
    assert words in unproven(watch(), (12.0, on_its_way), (25.0, other), (25.1, other))


def test_a_command_in_mdi_is_not_the_program() -> None:
    on_its_way = replace(SNAPSHOT, line=5, place=AWAY)
    command = replace(SNAPSHOT, mode="MDI", place=AWAY)
    assert "switched to MDI mode" in unproven(watch(), (12.0, on_its_way), (12.1, command))


def test_a_run_shorter_than_its_cuts_is_not_complete() -> None:
    on_its_way = replace(SNAPSHOT, line=5, place=AWAY)
    words = unproven(watch(), (2.0, on_its_way), (3.0, IDLE), (3.1, IDLE))
    assert "started in the middle" in words
    assert "its cuts alone take 20 s" in words


def test_a_reattached_run_has_no_known_start_time() -> None:
    ending = ending_of(read(THERE_AND_BACK), THERE_AND_BACK)
    run = RunMonitor(PATH, ending, Note(START), at=0.0, from_start=False)
    on_its_way = replace(SNAPSHOT, line=5, place=AWAY)
    assert not judged(run, (2.0, on_its_way), (3.0, IDLE), (3.1, IDLE))


def test_a_rotated_work_offset_is_named_as_the_possible_reason() -> None:
    source = THERE_AND_BACK.replace(b"G1 X0\n", b"G1 X4\n")
    on_its_way = replace(SNAPSHOT, line=5, place=AWAY)
    turned = replace(IDLE, place=(0.0, 4.0, 5.0))
    assert "work offset rotated" in unproven(
        watch(source), (12.0, on_its_way), (25.0, turned), (25.1, turned)
    )


def test_standing_still_fails_nothing() -> None:
    run = watch()
    for second in range(1, 4_000):  # a spindle that stops slowly, a feed override of zero
        run.observe(replace(SNAPSHOT, line=5, place=AWAY), float(second))
    assert not run.ended.is_set()
    assert not judged(run, (4_010.0, IDLE), (4_010.1, IDLE))
