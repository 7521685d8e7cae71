"""The floor: machines, what needs a person, what comes next, what just happened."""

from dataclasses import replace

from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.store.queries.floor import floor
from cnc_station.engine.store.queries.job_list import jobs_by_id
from cnc_station.engine.store.queries.machine_rows import stored_machines
from cnc_station.engine.views import Abilities, Floor, MachineCard, Remedy
from tests.store.rows import DAY, HOUR, HOUSE, MINUTE, NOW, Rows

WATCHES = Abilities(starts=False, holds=False, aborts=False, unlocks=False)


def look(rows: Rows) -> Floor:
    context = replace(HOUSE, abilities={"mtconnect": WATCHES})
    return rows.read(lambda connection: floor(connection, NOW, context=context))


def card(rows: Rows, name: str) -> MachineCard:
    return next(one for one in look(rows).cards if one.machine.spec.name == name)


def test_a_card_shows_the_job_in_hand_and_the_next_one(rows: Rows) -> None:
    busy = rows.job(name="Bracket", state="running")
    mill = rows.machine("Mill 1", state="running")
    rows.link(mill, busy, rows.run(busy, mill))
    rows.job(name="Plate", rank=2.0)
    rows.job(name="Hinge", rank=1.0)
    shown = card(rows, "Mill 1")
    assert shown.job is not None
    assert shown.next_job is not None
    assert (shown.job.name, shown.next_job.name, shown.why_idle) == ("Bracket", "Hinge", "")
    assert shown.machine.run_started_at == NOW - MINUTE


def test_an_idle_machine_says_why_nothing_comes(rows: Rows) -> None:
    rows.machine("Drill 1", machine_type="drill", materials='["brass"]')
    assert card(rows, "Drill 1").why_idle == "nothing for a drill"
    rows.job(machine_type="drill", state="delayed", not_before=NOW + HOUR)
    assert card(rows, "Drill 1").why_idle == "the next may start 16:10"
    for _ in range(4):
        rows.job(machine_type="drill", state="delayed", blocked=True)
    assert card(rows, "Drill 1").why_idle == "4 jobs wait for another"
    rows.job(machine_type="drill", material="steel")
    assert card(rows, "Drill 1").why_idle == "1 job waits, not for this machine"


def test_a_machine_that_is_away_says_so(rows: Rows) -> None:
    rows.machine("Mill 1", state="maintenance", state_reason="spindle bearings")
    rows.machine("Mill 2", state="offline")
    assert card(rows, "Mill 1").why_idle == "spindle bearings"
    assert card(rows, "Mill 2").why_idle == "not connected"


def test_a_machine_whose_controller_would_start_nothing_says_why(rows: Rows) -> None:
    rows.machine("Mill 1", not_ready="not homed: home it at the panel")
    job_id = rows.job(name="Bracket")
    shown = card(rows, "Mill 1")
    assert (shown.why_idle, shown.next_job) == ("not ready: not homed: home it at the panel", None)
    (waiting,) = rows.read(lambda c: jobs_by_id(c, [job_id], NOW, with_next=True, context=HOUSE))
    assert waiting.next == "only Mill 1 fits, and it is not ready (not homed: home it at the panel)"


def test_a_job_that_is_to_be_set_up_needs_a_person(rows: Rows) -> None:
    for name, driver, starts in (
        ("Mill 1", "linuxcnc", True),
        ("Mill 2", "linuxcnc", False),
        ("Mill 3", "mtconnect", False),
    ):
        machine_id = rows.machine(name, state="assigned", driver=driver, operator_starts=starts)
        job_id = rows.job(name=f"Job of {name}", state="assigned", machine_id=machine_id)
        rows.link(machine_id, job_id, rows.run(job_id, machine_id, state="assigned"))
    found = look(rows)
    assert [(item.remedy, item.title, item.text) for item in found.needs_you] == [
        (Remedy.SET_UP, "Mill 1: Job of Mill 1", "set-up to confirm"),
        (Remedy.SET_UP, "Mill 3: Job of Mill 3", "start it at the panel"),
    ]
    assert [one.job.next for one in found.cards if one.job] == [
        "set-up on Mill 1 to be confirmed",
        "starting on Mill 2",
        "set-up on Mill 3 to be confirmed",
    ]


def test_what_is_behind_a_set_up_waits_for_no_time_that_anybody_knows(rows: Rows) -> None:
    mill = rows.machine("Mill 1", state="assigned", operator_starts=True)
    busy = rows.job(name="First", state="assigned", machine_id=mill)
    rows.link(mill, busy, rows.run(busy, mill, state="assigned"))
    rows.job(name="Second", rank=1.0)
    rows.job(name="Third", rank=2.0)
    assert [row.next for row in look(rows).next_up] == [
        "next on Mill 1, which is being set up",
        "behind 1 job, Mill 1 is being set up",
    ]


def test_a_job_on_a_machine_that_is_only_watched_can_be_said_to_be_done(rows: Rows) -> None:
    mill = rows.machine("Mill 1", state="running", driver="mtconnect")
    busy = rows.job(name="Bracket", state="running", machine_id=mill)
    rows.link(mill, busy, rows.run(busy, mill))
    (item,) = look(rows).needs_you
    assert (item.remedy, item.title, item.job_id) == (Remedy.FINISH, "Mill 1: Bracket", busy)


def test_what_only_a_machines_own_panel_can_do_is_said_and_not_offered(rows: Rows) -> None:
    rows.machine("Mill 1", state="alarm", driver="mtconnect", state_reason="spindle overload")
    mill = rows.machine("Mill 2", state="held", driver="mtconnect", state_reason="FEED_HOLD")
    held = rows.job(name="Bracket", state="held", machine_id=mill)
    rows.link(mill, held, rows.run(held, mill, state="held"))
    rows.machine("Mill 3", state="alarm", state_reason="hard limit")
    assert [(item.remedy, item.text, item.at_panel) for item in look(rows).needs_you] == [
        (Remedy.UNLOCK, "clear it at its own panel: spindle overload", True),
        (Remedy.UNLOCK, "hard limit", False),
        (Remedy.CONTINUE, "go on at its own panel: Bracket: FEED_HOLD", True),
    ]


def test_an_uncleared_machine_shows_the_job_whose_part_lies_on_it(rows: Rows) -> None:
    made = rows.job(name="Motor mount", state="completed")
    mill = rows.machine("Mill 2", state="needs_clearing")
    rows.event("completed", job_id=made, machine_id=mill)
    rows.event("machine_edited", machine_id=mill)
    shown = card(rows, "Mill 2").job
    assert shown is not None
    assert shown.name == "Motor mount"


def test_what_needs_a_person_stands_worst_first_then_oldest(rows: Rows) -> None:
    rows.job(name="New", state="needs_attention", state_since=NOW - 1, last_error="broke")
    rows.job(name="Old", state="needs_attention", state_since=NOW - 2, last_error="broke")
    lathe = rows.machine("Lathe 2", state="held", state_reason="feed hold")
    held = rows.job(name="Flange", state="held", machine_id=lathe)
    rows.link(lathe, held, rows.run(held, lathe, state="held"))
    rows.machine("Mill 2", state="needs_clearing")
    rows.job(name="Jig base", state="interrupted", state_since=NOW - 3)
    rows.machine("Mill 3", state="alarm", state_reason="reset while moving")
    rows.job(name="Hinge", rank=1.0)
    items = look(rows).needs_you
    assert [(item.remedy, item.title) for item in items] == [
        (Remedy.UNLOCK, "Mill 3: alarm"),
        (Remedy.DECIDE, "Jig base: decide"),
        (Remedy.CLEAR, "Mill 2: clear it"),
        (Remedy.CONTINUE, "Lathe 2: held"),
        (Remedy.RETRY, "Old: failed"),
        (Remedy.RETRY, "New: failed"),
    ]
    assert [item.text for item in items] == [
        "reset while moving",
        "stopped half-way on its machine",
        "Hinge can start then",
        "Flange: feed hold",
        "broke",
        "broke",
    ]


def test_next_up_is_the_head_of_the_queue_then_what_is_due_soonest(rows: Rows) -> None:
    rows.machine("Mill 1")
    rows.machine("Lathe 1", machine_type="lathe")
    rows.job(name="third", state="delayed", not_before=NOW + HOUR)
    rows.job(name="second", rank=2.0)
    rows.job(name="first", rank=1.0, machine_type="lathe")
    rows.job(name="stuck", rank=0.0, complexity=5, axes=9)
    rows.job(name="blocked", state="delayed", blocked=True)
    assert [row.name for row in look(rows).next_up] == ["first", "second", "third"]


def test_just_now_tells_the_latest_that_matter_newest_first(rows: Rows) -> None:
    for kind in ("created", "completed", "assigned", "failed_retry", "edited"):
        rows.event(kind)
    assert [event.type for event in look(rows).just_now] == ["failed_retry", "completed"]


def test_todays_work_is_counted_from_midnight(rows: Rows) -> None:
    mill = rows.machine("Mill 1")
    for ended in (NOW - HOUR, NOW - 2 * HOUR, NOW - DAY):
        made = rows.job(state="completed", state_since=ended)
        rows.run(made, mill, state="succeeded", ended_at=ended)
    assert card(rows, "Mill 1").completed_today == 2
    assert look(rows).counts.completed_today == 2
    assert look(rows).counts.by_state == {JobState.COMPLETED: 3}


def test_a_removed_machine_is_shown_no_more_but_its_jobs_still_name_it(rows: Rows) -> None:
    mill = rows.machine("Mill 9", removed=True, state="maintenance")
    rows.job(state="needs_attention", machine_id=mill)
    assert look(rows).cards == ()
    assert rows.read(stored_machines) == ()
    assert look(rows).needs_you[0].machine_id == mill


def test_machines_are_read_with_what_they_can_do(rows: Rows) -> None:
    rows.machine(
        "Mill 1",
        materials='["Steel", "brass"]',
        settings='{"port": 5}',
        size_x=1.0,
        size_y=2.0,
        size_z=3.0,
    )
    (row,) = rows.read(stored_machines)
    assert row.state is MachineState.IDLE
    assert row.spec.capability.materials == {"steel", "brass"}
    assert row.spec.settings == {"port": 5}
    assert row.spec.capability.envelope is not None
