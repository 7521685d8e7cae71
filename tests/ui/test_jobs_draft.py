import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.job import EDITABLE
from cnc_station.ui.formatting import duration
from cnc_station.ui.models.job_draft import JobDraft, json_object, numbers, seconds

GOOD = JobDraft(name="Bracket", machine_type="mill")


def faults(draft: JobDraft) -> set[str]:
    try:
        draft.spec()
    except InvalidInput as error:
        return {bad.field for bad in error.errors}
    return set()


@pytest.mark.parametrize(
    ("text", "found"), [("5", 300), ("05:30", 330), ("90:00", 5400), ("1:02:03", 3723), ("0:05", 5)]
)
def test_a_duration_is_read_as_people_write_it(text: str, found: float) -> None:
    assert seconds(text) == found


@given(st.integers(0, 10**6))
def test_a_duration_reads_back_what_is_shown(value: int) -> None:
    assert seconds(duration(value)) == value


@given(st.text())
def test_any_text_is_a_value_or_a_named_fault(text: str) -> None:
    draft = dataclasses.replace(
        GOOD,
        name=text,
        estimated_s=text,
        after=text,
        retry_limit=text,
        timeout_s=text,
        payload=text,
        material=text,
    )
    assert faults(draft) <= {f.name for f in dataclasses.fields(draft)}


def test_every_fault_is_named_at_once() -> None:
    draft = JobDraft(estimated_s="soon", payload="{", after="op10", retry_limit="two")
    assert faults(draft) == {
        "name",
        "machine_type",
        "estimated_s",
        "payload",
        "after",
        "retry_limit",
    }


def test_only_what_was_changed_is_sent() -> None:
    after = dataclasses.replace(GOOD, priority=90, estimated_s="06:00", after="7")
    assert after.changes(GOOD) == {"priority": 90, "estimated_s": 360.0}


def test_every_field_but_the_predecessors_can_be_edited() -> None:
    names = {f.name for f in dataclasses.fields(JobDraft)}
    assert names - EDITABLE == {"after"}


def test_numbers_of_jobs_may_be_written_in_any_way() -> None:
    assert numbers("#12, 13 12") == (12, 13)


def test_a_payload_is_an_object_or_nothing() -> None:
    assert json_object("") == {}
    assert json_object(json.dumps({"batch": 3})) == {"batch": 3}
    with pytest.raises(ValueError, match="JSON object"):
        json_object("[1]")
    with pytest.raises(ValueError, match="line 2"):
        json_object('{"a": 1,\n b}')
