"""Machines out of reach, stations that are gone and positions that are not known need a person."""

from dataclasses import replace
from typing import Any

import pytest

from cnc_station.engine.domain.machine import STATION_CLOSED, STATION_GONE
from cnc_station.engine.store import schema
from cnc_station.engine.store.queries.floor import floor
from cnc_station.engine.store.queries.needs_you import LOST_AT_WORK_MS, NOT_READY_MS
from cnc_station.engine.views import Floor, NeedsYou, Presence, Remedy
from tests.store.rows import HOUR, HOUSE, MINUTE, NOW, Rows

AHEAD = 7 * HOUR  # the database's clock before this computer's
SILENT_MS = 42_000


def look(rows: Rows) -> Floor:
    context = replace(HOUSE, station="here", clock=lambda _: NOW + AHEAD)
    return rows.read(lambda connection: floor(connection, NOW, context=context))


def needs(rows: Rows) -> list[tuple[Remedy, str, str]]:
    return [(item.remedy, item.title, item.text) for item in look(rows).needs_you]


def only(rows: Rows) -> NeedsYou:
    (item,) = look(rows).needs_you
    return item


def station(rows: Rows, name: str, heard_ago: int = 0, left_ago: int | None = None) -> None:
    rows.insert(
        schema.station,
        [
            {
                "name": name,
                "incarnation": name,
                "host": name,
                "version": "1",
                "started_at": NOW,
                "heard_at": NOW + AHEAD - heard_ago,
                "lag_ms": 1.0,
                "left_at": None if left_ago is None else NOW + AHEAD - left_ago,
            }
        ],
    )


def test_a_machine_whose_controller_cannot_be_reached_can_be_tried_again(rows: Rows) -> None:
    why = "192.0.2.5 port 5007 does not answer"
    mill = rows.machine("Mill 1", state="offline", state_reason=why, unreached_since=NOW - MINUTE)
    item = only(rows)
    assert (item.remedy, item.title, item.text) == (Remedy.RECONNECT, "Mill 1: not reachable", why)
    assert (item.since, item.machine_id, item.at_panel) == (NOW - MINUTE, mill, False)


def test_a_machine_without_a_driver_at_its_station_is_told_of_with_its_reason(rows: Rows) -> None:
    rows.machine("Mill 1", state="offline", state_reason="there is no driver acme here")
    assert only(rows).text == "there is no driver acme here"


@pytest.mark.parametrize(
    "values",
    [
        {"state": "maintenance", "unreached_since": NOW - HOUR, "not_ready": "no answer"},
        {"state": "offline", "unreached_since": NOW - HOUR, "removed": True},
        {"state": "offline", "state_reason": STATION_CLOSED},  # its station opens it again just now
        {"state": "offline", "state_reason": STATION_GONE},
        {"state": "offline"},  # added a moment ago
    ],
)
def test_a_machine_that_is_not_meant_to_be_there_is_no_need(
    rows: Rows, values: dict[str, Any]
) -> None:
    rows.machine("Mill 1", **values)
    assert needs(rows) == []


def test_an_uncleared_machine_that_is_lost_needs_both(rows: Rows) -> None:
    lost = {"unreached_since": NOW - MINUTE, "not_ready": "the cable is out"}
    rows.machine("Mill 1", state="needs_clearing", **lost)
    assert [(remedy, text) for remedy, _, text in needs(rows)] == [
        (Remedy.RECONNECT, "the cable is out"),
        (Remedy.CLEAR, "a part lies on it"),
    ]


def test_a_machine_in_alarm_that_is_lost_cannot_be_unlocked(rows: Rows) -> None:
    lost = {"unreached_since": NOW - MINUTE, "not_ready": "the cable is out"}
    rows.machine("Mill 1", state="alarm", state_reason="hard limit", **lost)
    assert needs(rows) == [
        (Remedy.RECONNECT, "Mill 1: not reachable", "the cable is out; it was in alarm")
    ]


def test_a_silent_station_is_one_item_with_its_machines_and_offers_nothing(rows: Rows) -> None:
    station(rows, "here")
    station(rows, "Hall 2", heard_ago=SILENT_MS)
    rows.machine("Mill 1")
    rows.machine("Mill 2", station="Hall 2", state="needs_clearing")
    rows.machine("Mill 3", station="Hall 2", state="offline", state_reason=STATION_GONE)
    rows.machine("Mill 4", station="Hall 2", state="maintenance")
    alarm = rows.machine("Mill 5", station="Hall 2", state="alarm", driver="linuxcnc")
    lathe = rows.machine("Lathe 1", station="Hall 2", state="held")
    held = rows.job(name="Flange", state="held", machine_id=lathe)
    rows.link(lathe, held, rows.run(held, lathe, state="held"))
    item = only(rows)
    assert item.title == "Station Hall 2: not responding"
    told = "Mill 2 (to clear), Mill 3, Mill 5 (alarm), Lathe 1 (held): look at its PC"
    assert item.text == told
    assert (item.remedy, item.at_panel, item.about) == (Remedy.FIND_STATION, False, "Hall 2")
    assert item.since == NOW - SILENT_MS
    seen = {one.machine.id: one for one in look(rows).cards}[alarm]
    assert seen.machine.presence is Presence.SILENT
    assert seen.why_idle == "station Hall 2 does not respond"


def test_a_station_with_many_machines_names_the_first(rows: Rows) -> None:
    station(rows, "Hall 2", heard_ago=SILENT_MS)
    for number in range(1, 8):
        rows.machine(f"Mill {number}", station="Hall 2")
    assert only(rows).text == "Mill 1, Mill 2, Mill 3, Mill 4 and 3 more: look at its PC"


def test_a_silent_station_without_machines_in_service_is_no_need(rows: Rows) -> None:
    station(rows, "Hall 2", heard_ago=SILENT_MS)
    rows.machine("Mill 4", station="Hall 2", state="maintenance")
    assert needs(rows) == []


def test_a_closed_station_is_a_need_while_a_job_waits_for_its_machine(rows: Rows) -> None:
    station(rows, "Hall 2", left_ago=HOUR)
    closed = {"station": "Hall 2", "state": "offline", "state_reason": STATION_CLOSED}
    rows.machine("Mill 2", **closed)
    rows.machine("Lathe 1", machine_type="lathe", **closed)
    assert needs(rows) == []
    rows.job(name="Bracket")
    item = only(rows)
    assert (item.title, item.text) == ("Station Hall 2: closed", "Mill 2: look at its PC")
    assert item.since == NOW - HOUR


def test_a_closed_station_is_a_need_while_its_machine_runs_on(rows: Rows) -> None:
    station(rows, "Hall 2", left_ago=MINUTE)
    rows.machine("Mill 2", station="Hall 2", state="running")
    assert only(rows).text == "Mill 2 (was running): look at its PC"


def test_a_position_that_is_not_known_is_to_be_confirmed(rows: Rows) -> None:
    lost = {
        "position": "lost",
        "position_reason": "the controller was switched off and on",
        "position_since": NOW - MINUTE,
        "position_by": "controller",
        "not_ready": "the controller was switched off and on",
    }
    mill = rows.machine("Mill 1", **lost)
    rows.machine("Mill 2", **{**lost, "position": "homed", "not_ready": ""})
    rows.machine("Mill 3", **lost, state="alarm")  # it has to be unlocked first
    rows.machine("Mill 4", **lost, state="running")
    rows.job(name="Bracket")
    unlock, item = look(rows).needs_you
    assert unlock.remedy is Remedy.UNLOCK
    assert item.remedy is Remedy.CONFIRM_POSITION
    assert (item.title, item.machine_id) == ("Mill 1: confirm its work zero", mill)
    assert (item.text, item.since) == ("the controller was switched off and on", NOW - MINUTE)


def unready(rows: Rows, since: int) -> int:
    mill = rows.machine("Mill 1", not_ready="not homed", state_since=NOW - 2 * HOUR)
    rows.event("readiness_changed", machine_id=mill, reason="door open", at=NOW - HOUR)
    rows.event("readiness_changed", machine_id=mill, reason="", at=NOW - HOUR + 1)
    rows.event("readiness_changed", machine_id=mill, reason="in MDI mode", at=since)
    rows.event("readiness_changed", machine_id=mill, reason="not homed", at=NOW - 1)
    return mill


def test_a_controller_not_ready_for_long_is_a_need_while_a_job_waits_for_it(rows: Rows) -> None:
    mill = unready(rows, NOW - NOT_READY_MS)
    rows.job(name="Shaft", machine_type="lathe")
    rows.job(name="Elsewhere", pinned_machine_id=mill + 1)
    assert needs(rows) == []
    rows.job(name="Bracket")
    item = only(rows)
    assert (item.remedy, item.title) == (Remedy.MAKE_READY, "Mill 1: not ready")
    assert (item.text, item.since) == ("not homed", NOW - NOT_READY_MS)
    assert item.at_panel


def test_a_controller_not_ready_for_a_moment_is_no_need(rows: Rows) -> None:
    unready(rows, NOW - NOT_READY_MS + 1)
    rows.job(name="Bracket")
    assert needs(rows) == []


def test_the_worst_comes_first(rows: Rows) -> None:
    station(rows, "Hall 2", heard_ago=SILENT_MS)
    rows.machine("Mill 1", station="Hall 2")
    rows.machine("Mill 2", state="needs_clearing")
    rows.machine("Mill 3", state="offline", state_reason="x", unreached_since=NOW - 1)
    rows.machine("Mill 4", state="offline", state_reason="x", unreached_since=NOW - 2)
    rows.machine("Mill 5", state="alarm")
    assert [title for _, title, _ in needs(rows)] == [
        "Station Hall 2: not responding",
        "Mill 5: alarm",
        "Mill 4: not reachable",
        "Mill 3: not reachable",
        "Mill 2: clear it",
    ]


def test_a_machine_lost_at_work_is_told_of_after_a_moment_and_tries_by_itself(rows: Rows) -> None:
    lost = NOW - LOST_AT_WORK_MS
    mill = rows.machine("Mill 1", state="running", unreached_since=lost)
    rows.machine("Mill 2", state="running", unreached_since=lost + 1)
    busy = rows.job(name="Bracket", state="running", machine_id=mill)
    rows.link(mill, busy, rows.run(busy, mill))
    item = only(rows)
    assert (item.remedy, item.title) == (Remedy.RECONNECT, "Mill 1: not reachable")
    assert item.text == "Bracket is in hand, its station tries again by itself"
    assert (item.since, item.at_panel) == (lost, True)


def test_a_held_machine_that_is_lost_cannot_be_continued(rows: Rows) -> None:
    mill = rows.machine("Mill 1", state="held", unreached_since=NOW - MINUTE)
    held = rows.job(name="Flange", state="held", machine_id=mill)
    rows.link(mill, held, rows.run(held, mill, state="held"))
    found = {item.remedy: item.at_panel for item in look(rows).needs_you}
    assert found == {Remedy.RECONNECT: True, Remedy.CONTINUE: True}
