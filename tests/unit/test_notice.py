"""What a notice tells, alone and gathered with others."""

from cnc_station.engine.domain.notice import (
    ABOUT_LINKS,
    ABOUT_STATIONS,
    MISSED,
    MOST_EVENTS,
    NO_EVENTS,
    Notice,
    NoticeColumns,
    NoticeEvent,
    Topic,
    local,
)

CREATED = Notice.of(NoticeEvent("created", job_id=1, machine_type="mill"))
HELD = Notice.of(NoticeEvent("held", job_id=2, run_id=5, machine_id=3))


def test_gathered_notices_are_one_with_all_their_events_in_order() -> None:
    both = CREATED | HELD
    assert both == Notice.of(*CREATED.events, *HELD.events)
    assert both.jobs == {1, 2}
    assert both.machines == {3}
    assert (CREATED | CREATED | HELD).claimable == {"mill": 2}
    assert NO_EVENTS | HELD == HELD


def test_a_missed_notice_tells_of_everything_whatever_it_is_gathered_with() -> None:
    assert CREATED | MISSED == MISSED == MISSED | CREATED
    assert MISSED.tells_of(ABOUT_LINKS)
    assert MISSED
    assert not NO_EVENTS


def test_more_events_than_anybody_reads_are_one_look_at_everything() -> None:
    most = Notice.of(*CREATED.events * (MOST_EVENTS - 1))
    assert len(most | HELD) == MOST_EVENTS
    assert most | HELD | HELD == MISSED


def test_a_topic_is_told_to_those_who_ask_for_it_only() -> None:
    links = local(Topic.LINKS_CHANGED)
    assert links.tells_of(ABOUT_LINKS)
    assert not links.tells_of(ABOUT_STATIONS)
    assert not HELD.tells_of(ABOUT_LINKS)


def test_the_columns_of_a_notice_are_the_fields_of_its_events() -> None:
    assert NoticeColumns._fields == NoticeEvent._fields
    assert (CREATED | HELD).events == (*CREATED.events, *HELD.events)
