"""What a machine that only reports proves about a part."""

from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.nc.names import same_program
from cnc_station.engine.drivers.proof import Part
from cnc_station.engine.drivers.reported import Phase, Report
from cnc_station.engine.views import Doing, Status

SETTLE_S = 3.0


def said(phase: Phase, program: str = "plate.nc", parts: int | None = None) -> Report:
    return Report(phase, figures=Status(Doing.UNREACHABLE, program=program, parts=parts))


def part(*reports: tuple[float, Report]) -> Part:
    """After these reports, each at its second."""
    made = Part("plate.nc", SETTLE_S)
    for at, report in reports:
        made.see(report, at)
    return made


def test_a_name_that_follows_the_begin_shortly_still_counts_but_not_much_later() -> None:
    idle, unnamed, named = said(Phase.IDLE, ""), said(Phase.RUNNING, ""), said(Phase.RUNNING)
    assert part((0, idle), (10, unnamed), (11, named)).begun
    # A program of that name called by another one is not its begin.
    assert not part((0, idle), (10, unnamed), (20, named)).begun


def test_the_part_before_counted_late_is_not_this_one() -> None:
    made = part(
        (0, said(Phase.IDLE, parts=4)),
        (10, said(Phase.RUNNING, parts=4)),
        (11, said(Phase.RUNNING, parts=5)),
        (60, said(Phase.IDLE, parts=5)),
    )
    assert made.untold


def test_a_counter_set_back_in_mid_program_still_counts_this_part() -> None:
    made = part(
        (0, said(Phase.IDLE, parts=40)),
        (10, said(Phase.RUNNING, parts=40)),
        (20, said(Phase.RUNNING, parts=0)),
        (60, said(Phase.IDLE, parts=1)),
    )
    assert made.finished


def test_a_run_stopped_and_gone_on_with_is_one_part() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.STOPPED)),
        (90, said(Phase.RUNNING)),
        (95, said(Phase.COMPLETED)),
    )
    assert made.finished


def test_another_program_after_a_stop_means_that_ours_was_broken_off() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.STOPPED)),
        (30, said(Phase.RUNNING, "other.nc")),
    )
    assert "other.nc" in made.failure


def test_another_program_that_completes_does_not_complete_ours() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.IDLE)),
        (30, said(Phase.RUNNING, "other.nc")),
        (40, said(Phase.COMPLETED, "other.nc", 1)),
        (41, said(Phase.COMPLETED)),
    )
    assert made.untold


def test_a_reset_after_a_hold_fails_once_the_counter_had_its_time() -> None:
    made = part((0, said(Phase.IDLE)), (10, said(Phase.RUNNING)), (20, said(Phase.HELD)))
    made.see(said(Phase.IDLE), 30)
    assert made.patience(31) == 2.0
    assert not made.over
    made.wait(33)
    assert made.failure


def test_an_end_that_nobody_saw_is_left_open() -> None:
    made = part((0, said(Phase.IDLE, parts=1)), (10, said(Phase.RUNNING, parts=1)))
    made.missed()
    made.see(said(Phase.COMPLETED, parts=2), 50)
    assert made.untold


def test_our_program_called_by_another_one_after_ours_stopped_is_not_ours_going_on() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.IDLE)),
        (30, said(Phase.RUNNING, "other.nc")),
        (40, said(Phase.RUNNING)),
        (50, said(Phase.COMPLETED)),
    )
    assert made.untold


def test_a_reset_that_nobody_saw_after_a_hold_is_not_taken_for_a_failure() -> None:
    made = part((0, said(Phase.IDLE)), (10, said(Phase.RUNNING)), (20, said(Phase.HELD)))
    made.missed()
    made.see(said(Phase.IDLE), 30)
    made.wait(90)
    assert made.untold
    assert not made.failure


def test_a_counter_has_its_time_from_the_reset_of_a_stopped_program_on() -> None:
    made = part((0, said(Phase.IDLE, parts=1)), (10, said(Phase.RUNNING, parts=1)))
    made.see(said(Phase.STOPPED, parts=1), 20)
    made.see(said(Phase.IDLE, parts=1), 60)
    assert made.patience(61) == 2.0
    made.see(said(Phase.IDLE, parts=2), 62)
    assert made.finished


def test_what_ran_after_a_parts_end_counts_for_the_next_ones() -> None:
    first = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.COMPLETED)),
        (30, said(Phase.RUNNING)),
        (40, said(Phase.COMPLETED)),
        (50, said(Phase.RUNNING)),
    )
    second = first.next()
    assert second.finished
    third = second.next()
    assert third.begun
    assert not third.over


def test_what_was_missed_after_a_parts_end_counts_for_nothing() -> None:
    first = part((0, said(Phase.IDLE)), (10, said(Phase.RUNNING)), (20, said(Phase.COMPLETED)))
    first.missed()
    first.see(said(Phase.RUNNING), 30)
    assert not first.next().begun


PHASES = st.sampled_from(list(Phase))
REPORTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 5.0]),
        st.booleans(),
        st.builds(
            said,
            PHASES,
            st.sampled_from(["plate.nc", "PLATE", "other.nc", ""]),
            st.sampled_from([None, 0, 1, 2]),
        ),
    ),
    max_size=25,
)


@given(REPORTS)
def test_no_part_is_ever_finished_without_its_program_seen_to_begin_and_a_proof(
    reports: list[tuple[float, bool, Report]],
) -> None:
    """The whole rule, said once more and without memory of how it is kept."""
    made, now = Part("plate.nc", SETTLE_S), 0.0
    seen: list[Report] = []
    for passed, missed, report in reports:
        now += passed
        if missed:
            made.missed()
        made.see(report, now)
        seen.append(report)
        assert not (made.finished and made.failure)
        if made.finished:
            break
    if not made.finished:
        return
    running = [
        place
        for place, report in enumerate(seen)
        if report.phase in (Phase.RUNNING, Phase.HELD)
        and same_program("plate.nc", report.figures.program)
    ]
    assert running, "finished, and never seen to run"
    idle = [
        place
        for place, report in enumerate(seen[: running[-1]])
        if report.phase in (Phase.IDLE, Phase.STOPPED, Phase.ABORTED, Phase.COMPLETED)
    ]
    assert idle, "finished, and what ran may have run before the order"
    last, before = seen[-1], [report.figures.parts for report in seen[running[0] : -1]]
    counts = [count for count in before if count is not None]
    counted = last.figures.parts is not None and bool(counts) and last.figures.parts > min(counts)
    assert last.phase is Phase.COMPLETED or counted, "finished, and nothing proves it"
