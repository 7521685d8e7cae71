"""What the reports of a read-only machine prove about a part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.nc.names import same_program
from cnc_station.engine.drivers.proof import MOST_COUNTED, Part
from cnc_station.engine.drivers.reported import IN_PROGRAM, Doubt, Phase, Report
from cnc_station.engine.views import Doing, Status

SETTLE_S = 3.0


DRY_RUN = Doubt("dry run is on", "dry run was on")
MDI = Doubt("the machine is in MDI", "ran in MDI", by_hand=True)


def said(
    phase: Phase, program: str = "plate.nc", parts: int | None = None, doubt: Doubt | None = None
) -> Report:
    figures = Status(Doing.UNREACHABLE, program=program, parts=parts)
    return Report(phase, doubts=(doubt,) if doubt else (), figures=figures)


def part(*reports: tuple[float, Report]) -> Part:
    """Return a part after these reports, each at its second."""
    made = Part("plate.nc", SETTLE_S)
    for at, report in reports:
        made.add_report(report, at)
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
    assert made.needs_decision


def test_a_counter_set_back_in_mid_program_still_counts_this_part() -> None:
    made = part(
        (0, said(Phase.IDLE, parts=40)),
        (10, said(Phase.RUNNING, parts=40)),
        (20, said(Phase.RUNNING, parts=0)),
        (60, said(Phase.IDLE, parts=1)),
    )
    assert made.finished


def test_a_run_stopped_and_resumed_is_one_part() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.STOPPED)),
        (90, said(Phase.RUNNING)),
        (95, said(Phase.COMPLETED)),
    )
    assert made.finished


def test_another_program_after_a_stop_means_that_the_ordered_one_was_aborted() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.STOPPED)),
        (30, said(Phase.RUNNING, "other.nc")),
    )
    assert "other.nc" in made.failure


def test_another_program_that_completes_does_not_complete_the_ordered_one() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.IDLE)),
        (30, said(Phase.RUNNING, "other.nc")),
        (40, said(Phase.COMPLETED, "other.nc", 1)),
        (41, said(Phase.COMPLETED)),
    )
    assert made.needs_decision


def test_a_reset_after_a_hold_fails_once_the_counter_had_its_time() -> None:
    made = part((0, said(Phase.IDLE)), (10, said(Phase.RUNNING)), (20, said(Phase.HELD)))
    made.add_report(said(Phase.IDLE), 30)
    assert made.seconds_left(31) == 2.0
    assert not made.over
    made.check_time(33)
    assert made.failure


def test_an_unseen_end_is_left_open() -> None:
    made = part((0, said(Phase.IDLE, parts=1)), (10, said(Phase.RUNNING, parts=1)))
    made.reports_lost()
    made.add_report(said(Phase.COMPLETED, parts=2), 50)
    assert made.needs_decision


def test_the_ordered_program_called_by_another_after_a_stop_is_not_a_resume() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.IDLE)),
        (30, said(Phase.RUNNING, "other.nc")),
        (40, said(Phase.RUNNING)),
        (50, said(Phase.COMPLETED)),
    )
    assert made.needs_decision


def test_an_unseen_reset_after_a_hold_is_not_a_failure() -> None:
    made = part((0, said(Phase.IDLE)), (10, said(Phase.RUNNING)), (20, said(Phase.HELD)))
    made.reports_lost()
    made.add_report(said(Phase.IDLE), 30)
    made.check_time(90)
    assert made.needs_decision
    assert not made.failure


def test_the_time_for_a_counter_begins_at_the_reset_of_a_stopped_program() -> None:
    made = part((0, said(Phase.IDLE, parts=1)), (10, said(Phase.RUNNING, parts=1)))
    made.add_report(said(Phase.STOPPED, parts=1), 20)
    made.add_report(said(Phase.IDLE, parts=1), 60)
    assert made.seconds_left(61) == 2.0
    made.add_report(said(Phase.IDLE, parts=2), 62)
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
    first.reports_lost()
    first.add_report(said(Phase.RUNNING), 30)
    assert not first.next().begun


def counts(*parts: int, end: Phase = Phase.IDLE) -> Part:
    """The program runs with each count of the part counter in turn, the last at its end."""
    made = part((0, said(Phase.IDLE, parts=parts[0])))
    for place, count in enumerate(parts[:-1]):
        made.add_report(said(Phase.RUNNING, parts=count), 10 + 10 * place)
    made.add_report(said(end, parts=parts[-1]), 10 + 10 * len(parts))
    return made


def test_a_counter_that_rises_by_a_few_proves_a_part_and_one_that_jumps_does_not() -> None:
    assert counts(10, 10, 11).finished
    assert counts(10, 10, 12).finished
    leapt = counts(2000, 2000, 599_999)
    assert leapt.needs_decision
    assert "the part counter jumped from 2000 to 599999 for one part" in leapt.open_question()


def test_a_jump_of_the_counter_is_a_doubt_even_with_a_completed_program() -> None:
    assert counts(10, 10, 11, end=Phase.COMPLETED).finished
    assert counts(10, 10, 90, end=Phase.COMPLETED).needs_decision
    assert counts(2000, 599_999, 2000, 2001, end=Phase.COMPLETED).needs_decision
    assert counts(2000, 0, 2000, end=Phase.COMPLETED).needs_decision


def test_many_counts_in_one_run_of_the_program_are_not_one_part() -> None:
    assert counts(10, 10, 12, 14, 16).needs_decision


def test_a_counter_set_down_by_hand_at_the_end_proves_nothing() -> None:
    assert counts(10, 10, 3).needs_decision


def test_a_counter_proves_nothing_for_a_program_that_was_aborted() -> None:
    made = part(
        (0, said(Phase.IDLE, parts=1)),
        (10, said(Phase.RUNNING, parts=1)),
        (20, said(Phase.ABORTED, parts=2)),
        (21, said(Phase.IDLE, parts=2)),
        (30, said(Phase.IDLE, parts=2)),
    )
    assert made.failure


@pytest.mark.parametrize("doubtful", [0, 1, 2])
@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.HELD])
def test_a_doubt_at_any_time_of_a_run_is_a_doubt_about_the_part(
    doubtful: int, phase: Phase
) -> None:
    made = part((0, said(Phase.IDLE)), (10, said(Phase.RUNNING)))
    for place in range(3):
        doubt = DRY_RUN if place == doubtful else None
        made.add_report(said(phase, doubt=doubt), 20 + 10 * place)
    made.add_report(said(Phase.RUNNING), 60)
    made.add_report(said(Phase.COMPLETED, parts=1), 70)
    made.add_report(said(Phase.IDLE), 71)
    made.check_time(200)
    assert made.needs_decision
    assert made.open_question().endswith("it may not have made a part: dry run was on")


def test_what_runs_in_mdi_is_not_the_begin_whatever_program_is_selected() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING, doubt=MDI)),
        (11, said(Phase.COMPLETED, parts=1)),
    )
    assert not made.begun
    made.add_report(said(Phase.RUNNING), 20)
    made.add_report(said(Phase.COMPLETED), 30)
    assert made.finished


def test_a_confirmed_program_in_mdi_waits_for_a_person() -> None:
    made = part((0, said(Phase.IDLE)), (10, said(Phase.RUNNING, doubt=MDI)))
    made.confirm_start(said(Phase.RUNNING, doubt=MDI), 11)
    made.add_report(said(Phase.COMPLETED, parts=1), 20)
    assert not made.over


def test_a_program_run_again_after_a_dry_run_makes_the_part() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING, doubt=DRY_RUN)),
        (20, said(Phase.COMPLETED)),
        (30, said(Phase.RUNNING)),
    )
    assert not made.needs_decision
    made.add_report(said(Phase.COMPLETED), 40)
    assert made.finished


def test_a_program_resumed_after_a_stop_in_a_dry_run_is_still_doubtful() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING, doubt=DRY_RUN)),
        (20, said(Phase.STOPPED)),
        (30, said(Phase.RUNNING)),
        (40, said(Phase.COMPLETED)),
    )
    assert made.needs_decision


def test_an_end_in_doubt_after_a_hold_does_not_become_a_failure() -> None:
    made = part(
        (0, said(Phase.IDLE)),
        (10, said(Phase.RUNNING)),
        (20, said(Phase.HELD, doubt=MDI)),
        (30, said(Phase.COMPLETED)),
        (31, said(Phase.IDLE)),
    )
    made.check_time(100)
    assert made.needs_decision
    assert not made.failure


def test_an_end_while_the_machine_is_unavailable_is_left_open() -> None:
    made = part(
        (0, said(Phase.IDLE, parts=1)),
        (10, said(Phase.RUNNING, parts=1)),
        (20, said(Phase.UNKNOWN)),
        (30, said(Phase.COMPLETED, parts=2)),
    )
    assert made.needs_decision


def test_a_part_states_the_expected_name_and_why_what_runs_does_not_match() -> None:
    idle, other, ours = said(Phase.IDLE), said(Phase.RUNNING, "O4711"), said(Phase.RUNNING)
    made = Part("plate.nc", SETTLE_S)
    assert made.waiting_reason(ours) == (
        "plate.nc was running before this job was assigned: the job waits for its next start"
    )
    made.add_report(idle, 0)
    assert made.waiting_reason(idle) == "waits for plate.nc to be started at the control"
    assert made.waiting_reason(other) == "O4711 runs: the job waits for plate.nc (also PLATE.MIN)"
    assert "a program without a name runs" in made.waiting_reason(said(Phase.RUNNING, ""))
    assert made.waiting_reason(said(Phase.RUNNING, doubt=MDI)) == (
        "plate.nc is selected, but the machine is in MDI: "
        "the job waits for its start in automatic mode"
    )


PHASES = st.sampled_from(list(Phase))
REPORTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 5.0]),
        st.booleans(),
        st.builds(
            said,
            PHASES,
            st.sampled_from(["plate.nc", "PLATE", "other.nc", ""]),
            st.sampled_from([None, 0, 1, 2, 50]),
            st.sampled_from([None, None, None, DRY_RUN, MDI]),
        ),
    ),
    max_size=25,
)


def test_a_dry_run_that_may_have_begun_unseen_makes_no_part() -> None:
    made = Part("plate.nc", SETTLE_S)
    for report in (
        said(Phase.IDLE, "plate.nc", 0),
        said(Phase.UNKNOWN, "plate.nc", 0, DRY_RUN),
        said(Phase.RUNNING, "plate.nc", 0),
        said(Phase.IDLE, "plate.nc", 1),
    ):
        made.add_report(report, 0.0)
    assert not made.finished
    assert "dry run was on" in made.doubts


def test_a_completion_after_another_program_has_run_proves_nothing() -> None:
    made = Part("plate.nc", SETTLE_S)
    for report in (
        said(Phase.IDLE),
        said(Phase.RUNNING),
        said(Phase.IDLE),
        said(Phase.RUNNING, "other.nc"),
        said(Phase.COMPLETED),
    ):
        made.add_report(report, 0.0)
    assert made.needs_decision


@given(REPORTS)
def test_no_part_is_ever_finished_without_its_program_seen_to_begin_and_a_proof(
    reports: list[tuple[float, bool, Report]],
) -> None:
    """The whole rule, stated again independently of its implementation."""
    made, now = Part("plate.nc", SETTLE_S), 0.0
    seen: list[Report] = []
    for passed, missed, report in reports:
        now += passed
        if missed:
            made.reports_lost()
        made.add_report(report, now)
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
    since = max(
        place
        for place in idle
        if next(r.phase for r in seen[place + 1 :] if r.phase is not Phase.UNKNOWN) in IN_PROGRAM
    )
    assert not any(report.doubts for report in seen[since + 1 :]), "finished in spite of a doubt"
    last, before = seen[-1], [report.figures.parts for report in seen[running[0] : -1]]
    counts = [count for count in before if count is not None]
    counted = (
        last.figures.parts is not None
        and bool(counts)
        and 0 < last.figures.parts - min(counts) <= MOST_COUNTED
    )
    assert last.phase is Phase.COMPLETED or counted, "finished, and nothing proves it"
