from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.views import (
    Abilities,
    Doing,
    JobRow,
    MachineCard,
    MachineRow,
    Status,
    Telemetry,
)
from cnc_station.ui import formatting
from cnc_station.ui.floor.activity_panel import shares
from cnc_station.ui.floor.card_text import CardAction, CardText, card_text_of
from cnc_station.ui.theme import Tone

NOW = 1_790_000_000_000
HALF = Telemetry(
    line=3018,
    part=12,
    parts=40,
    fraction=0.5,
    part_fraction=0.64,
    part_remaining_s=1122.0,
    remaining_s=9000.0,
)


def job(**changes: Any) -> JobRow:
    row = JobRow(
        id=7,
        version=1,
        name="Bracket v2",
        work_order="",
        operation="op20",
        state=JobState.RUNNING,
        machine_type="mill",
        machine_id=1,
        machine="Mill 1",
        material="aluminium",
        complexity=2,
        priority=50,
        quantity=40,
        due_at=None,
        estimated_s=600.0,
        program="ab",
        program_name="bracket_v2.nc",
        program_revision=3,
        tenant="",
        attempt=1,
        failures=0,
        not_before=None,
        created_at=NOW,
        state_since=NOW,
        finished_at=None,
        rank=0.0,
        pinned_machine_id=None,
        last_error="",
        late=False,
        next="",
    )
    return replace(row, **changes)


WATCHES = Abilities(starts=False, holds=False, aborts=False, unlocks=False)


def card(state: MachineState, **changes: Any) -> MachineCard:
    machine = MachineRow(
        id=1,
        version=1,
        spec=MachineSpec(
            "Mill 1", "mill", model="VF-2", operator_starts=changes.pop("operator_starts", False)
        ),
        state=state,
        state_since=NOW - 60_000,
        state_reason=changes.pop("reason", ""),
        station="A",
        maintenance_due=False,
        job_id=7,
        run_id=1,
        run_started_at=NOW - 600_000,
        runs_done=0,
        run_seconds=0.0,
        last_material="",
        last_program="",
        not_ready=changes.pop("not_ready", ""),
    )
    whole = MachineCard(machine, job(), None, "nothing for a mill", 5)
    return replace(whole, **changes)


def said(state: MachineState, live: Telemetry | None = HALF, **changes: Any) -> CardText:
    return card_text_of(card(state, **changes), live, NOW)


def test_a_running_card_says_part_time_left_and_line() -> None:
    told = said(MachineState.RUNNING)
    assert told.title == "Bracket v2 · op20"
    assert told.note == "aluminium · part 12 of 40 · bracket_v2.nc r3"
    assert (told.figure, told.aside) == ("18:42", ("64 % · line 3,018", "left of this part"))
    assert told.fraction == 0.64
    assert told.count == "5 today"
    assert told.corner is CardAction.HOLD
    assert told.tone is Tone.NORMAL


def test_what_a_controller_says_to_its_operator_stands_on_its_card_while_it_runs() -> None:
    running = card(MachineState.RUNNING)
    said = card_text_of(running, HALF, NOW, status=Status(Doing.RUNNING, "lube low"))
    assert said.note == "lube low"
    assert card_text_of(running, HALF, NOW, status=Status(Doing.RUNNING)).note.startswith(
        "aluminium"
    )


def test_what_a_job_waits_for_at_a_watched_machine_stands_on_its_card() -> None:
    waits = "waits for bracket.nc to be started at the control"
    assigned = card(MachineState.ASSIGNED)
    assert card_text_of(assigned, None, NOW, status=Status(Doing.READY, waits)).note == waits
    assert card_text_of(assigned, None, NOW, status=Status(Doing.READY)).note.startswith(
        "aluminium"
    )


def test_what_comes_next_is_told_with_the_time_that_the_pace_so_far_foretells() -> None:
    ends = formatting.time_of_day(NOW + 600_000, seconds=False)  # half of it took ten minutes
    told = said(MachineState.RUNNING, next_job=job(name="Hinge", operation=""))
    assert told.foot == f"Next: Hinge, {ends}"


def test_a_late_job_says_when_it_was_due_and_when_it_is_likely_to_be_done() -> None:
    due = NOW - 60_000
    told = said(MachineState.RUNNING, job=job(late=True, due_at=due))
    assert told.late
    assert told.foot.startswith(f"Late: due {formatting.due(due, NOW)}, likely ")


def test_a_machine_in_need_says_why_and_offers_its_remedy() -> None:
    alarm = said(MachineState.ALARM, reason="ALARM:3 reset while moving")
    assert alarm.note == "ALARM:3 reset while moving"
    assert alarm.remedies[-1] is CardAction.UNLOCK
    held = said(MachineState.HELD, reason="chips in the vice")
    assert held.remedies == (CardAction.CONTINUE, CardAction.ABORT)
    assert held.foot == "18:42 left, held at 50 %"
    assert said(MachineState.NEEDS_CLEARING).remedies[-1] is CardAction.CLEAR
    assert said(MachineState.MAINTENANCE, job=None).remedies == (CardAction.END_MAINTENANCE,)


def test_a_machine_that_starts_nothing_says_why_and_what_to_do() -> None:
    idle = card(MachineState.IDLE, job=None, not_ready="not homed")
    status = Status(Doing.NOT_READY, "not homed", "Home it at its panel, then come back.")
    told = card_text_of(idle, None, NOW, status=status)
    assert (told.look.word, told.title) == ("Not ready", "Not homed")
    assert told.note == "Home it at its panel, then come back."
    assert told.tone is Tone.HELD
    assert "Not ready, Not homed, Home it" in told.spoken
    assert card_text_of(idle, None, NOW).note == "Nothing can start on it"


def test_a_job_that_waits_for_its_set_up_offers_just_that() -> None:
    told = said(MachineState.ASSIGNED, None, operator_starts=True)
    assert told.remedies == (CardAction.SET_UP,)
    assert (told.look.word, told.tone) == ("Set up", Tone.OPERATOR)
    assert said(MachineState.ASSIGNED, None).remedies == ()


def test_a_machine_that_is_only_watched_is_never_offered_what_it_cannot_do() -> None:
    def watched(state: MachineState) -> CardText:
        return card_text_of(card(state), HALF, NOW, can=WATCHES)

    assert watched(MachineState.ASSIGNED).remedies == (CardAction.SET_UP,)
    assert watched(MachineState.RUNNING).corner is CardAction.FINISH
    held, alarm = watched(MachineState.HELD), watched(MachineState.ALARM)
    assert held.remedies == alarm.remedies == (CardAction.DETAILS,)
    assert held.foot == "Continue at the machine's own panel."
    assert alarm.foot == "Clear it at the machine's own panel."


def test_what_the_driver_says_to_do_at_the_panel_comes_before_the_general_words() -> None:
    status = Status(Doing.ALARM, "door open", "Close the door, then press reset.")
    told = card_text_of(card(MachineState.ALARM), None, NOW, status=status, can=WATCHES)
    assert told.foot == "Close the door, then press reset."


@pytest.mark.parametrize(
    ("can", "offered"),
    [
        (Abilities(), {CardAction.ABORT, CardAction.CONTINUE}),
        (Abilities(aborts=False), {CardAction.CONTINUE}),
        # That the next blank is in is a person's word, not the controller's.
        (Abilities(holds=False), {CardAction.ABORT, CardAction.CONTINUE}),
    ],
)
def test_a_held_card_offers_what_its_driver_can_do(
    can: Abilities, offered: set[CardAction]
) -> None:
    assert set(card_text_of(card(MachineState.HELD), HALF, NOW, can=can).remedies) == offered


def test_an_idle_card_says_why_it_is_idle_once() -> None:
    told = said(MachineState.IDLE, None, job=None)
    assert (told.note, told.foot, told.figure) == ("nothing for a mill", "", "")
    assert told.idle


def test_before_the_controller_says_anything_nothing_is_made_up() -> None:
    told = said(MachineState.RUNNING, None)
    assert (told.figure, told.fraction) == ("", None)
    assert said(MachineState.ASSIGNED, None).figure == "10:00"


@given(st.integers(0, 40), st.lists(st.integers(1, 40), min_size=3, max_size=3))
def test_lists_share_whole_rows_and_waste_none(room: int, wanted: list[int]) -> None:
    rows = shares(room, wanted)
    assert all(given <= want for given, want in zip(rows, wanted, strict=True))
    if room >= 6:
        assert sum(rows) == min(room, sum(wanted))
        assert rows[0] >= min(3, wanted[0])
