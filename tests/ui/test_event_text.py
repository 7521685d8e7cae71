from dataclasses import replace

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.transitions import OVERRIDES, TRANSITIONS
from cnc_station.ui.event_text import SENTENCES, by_and_why, event_sentence, tone_of
from cnc_station.ui.theme import Tone


def event(kind: str, actor: str = "Ana", reason: str = "") -> Event:
    return Event(1, 0, kind, 1, None, None, None, None, None, actor, "A", "t", reason, {})


def test_every_transition_has_a_sentence_and_no_sentence_is_without_one() -> None:
    by_hand = {row.name for row in OVERRIDES.values()}
    assert set(SENTENCES) == set(TRANSITIONS) - by_hand


def test_two_transitions_never_read_alike() -> None:
    sentences = [event_sentence(event(kind), "Mill 1") for kind in TRANSITIONS]
    assert len(set(sentences)) == len(sentences)


def test_the_machine_is_named_where_it_is_known() -> None:
    assert event_sentence(event("started"), "Mill 1") == "Started on Mill 1"
    assert event_sentence(event("started")) == "Started"
    assert (
        event_sentence(event("overridden_to_needs_attention")) == "Set by hand to needs attention"
    )


def test_a_machine_that_is_not_ready_says_so_with_the_reason_behind_it() -> None:
    refused = event("readiness_changed", "controller", "not homed")
    assert event_sentence(refused) == "Not ready"
    assert (tone_of(refused), tone_of(event("readiness_changed"))) == (Tone.HELD, Tone.NORMAL)
    assert event_sentence(event("readiness_changed")) == "Ready"


def test_a_service_goes_unnamed_and_a_person_does_not() -> None:
    assert by_and_why(event("held", "Ana", "chips in the vice")) == "Ana · chips in the vice"
    assert by_and_why(event("failed_retry", "runner", "tool broke")) == "tool broke"
    assert by_and_why(event("paused", "Ben")) == "Ben"


def test_only_what_is_out_of_the_ordinary_has_a_colour() -> None:
    assert tone_of(event("failed_final")) is Tone.ALARM
    assert tone_of(event("held")) is Tone.HELD
    assert tone_of(event("completed")) is Tone.NORMAL


def test_an_event_of_a_later_version_is_shown_as_it_is_written() -> None:
    assert event_sentence(event("sent_to_the_moon")) == "Sent to the moon"


def test_a_position_says_whether_it_is_known_and_only_a_lost_one_has_a_colour() -> None:
    lost = replace(event("position_changed", reason="switched off"), details={"basis": "lost"})
    homed = replace(event("position_changed"), details={"basis": "homed"})
    assert (event_sentence(lost), tone_of(lost)) == ("Position not known", Tone.HELD)
    assert (event_sentence(homed), tone_of(homed)) == ("Position known", Tone.NORMAL)


def test_modes_that_were_set_are_told_with_their_machine() -> None:
    assert event_sentence(event("modes_set"), "Mill 1") == "Modes set on Mill 1"
    why = "G21 set (G20 was on)"
    assert by_and_why(event("modes_set", "runner", why)) == why


def test_a_changed_job_tells_from_what_to_what() -> None:
    told = {"before": {"priority": 10, "notes": ""}, "after": {"priority": 50, "notes": "x" * 99}}
    changed = replace(event("edited", reason="notes, payload, priority"), details=told)
    words = by_and_why(changed)
    assert words.startswith("Ana · priority 10 → 50, notes — → ")
    assert words.endswith(", payload")
    assert len(words) < 120
    assert by_and_why(event("edited", reason="priority")) == "Ana · priority"
