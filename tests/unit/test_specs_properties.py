"""The check of all fields: any values give a valid spec or InvalidInput, nothing else."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, Envelope, MachineSpec

_ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(),
    st.just("\ud800"),
    st.binary(max_size=5),
    st.text(min_size=190, max_size=210),
    st.sampled_from(["İ" * 40, " x ", "a" * 64, "Mill"]),
    st.lists(st.integers() | st.text(), max_size=3),
    st.lists(st.integers() | st.text(), max_size=3).map(tuple),
    st.dictionaries(st.text(max_size=3) | st.integers(), st.text(max_size=3), max_size=3),
    st.builds(Envelope, st.floats(), st.floats(), st.floats()),
    st.builds(Envelope, st.text(max_size=2), st.none(), st.booleans()),
    st.builds(object),
)
_JOB_FIELDS = [field.name for field in fields(JobSpec)]


def _job(values: dict[str, Any]) -> JobSpec:
    return JobSpec(**{"name": "part", "machine_type": "mill", **values})


def _capability(values: dict[str, Any]) -> Capability:
    return Capability(**{"machine_type": "mill", **values})


def _machine(values: dict[str, Any]) -> MachineSpec:
    return MachineSpec(**{"name": "M1", "machine_type": "mill", **values})


def _some(kind: type[Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return any values for some of its fields."""
    return st.dictionaries(st.sampled_from([f.name for f in fields(kind)]), values, max_size=4)


_JOBS = _some(JobSpec, _ANYTHING).map(_job)
_CAPABILITIES = _some(Capability, _ANYTHING).map(_capability)
_MACHINES = _some(MachineSpec, _ANYTHING | _CAPABILITIES).map(_machine)


def _validated(spec: Any) -> tuple[Any, tuple[FieldError, ...]]:
    """Return the valid spec, or why it is refused."""
    try:
        return spec.validated(), ()
    except InvalidInput as error:
        return None, error.errors


def _storable(value: str) -> None:
    value.encode()
    assert "\x00" not in value


@given(_JOBS)
@example(JobSpec("part", "mill", estimated_s=10**400))
@example(JobSpec("part", "İ" * 40))
@example(JobSpec("\ud800", "mill"))
@example(JobSpec("part", "mill", pinned_machine_id=2**70))
@example(JobSpec("part", "mill", program="\ud800" * 64))
def test_a_job_of_any_values_is_valid_or_refused_by_field(spec: JobSpec) -> None:
    valid, errors = _validated(spec)
    assert {error.field for error in errors} <= set(_JOB_FIELDS)
    assert (valid is None) == bool(errors)
    if valid is None:
        return
    assert valid.validated() == valid
    for field in fields(JobSpec):
        value = getattr(valid, field.name)
        if isinstance(value, str):
            _storable(value)
        if isinstance(value, int):
            assert -(2**63) <= value < 2**63
    json.dumps(dict(valid.payload), allow_nan=False)
    assert all(isinstance(one, int) and 0 < one < 2**63 for one in valid.after)
    assert hash(valid.need) is not None


@given(_MACHINES)
@example(MachineSpec("M1", "mill", settings={"a": object()}))
@example(MachineSpec("M1", "mill", capability=Capability("mill", materials=frozenset({"\ud800"}))))
def test_a_machine_of_any_values_is_valid_or_refused_by_field(spec: MachineSpec) -> None:
    valid, errors = _validated(spec)
    assert (valid is None) == bool(errors)
    if valid is None:
        return
    assert valid.validated() == valid
    for text in (valid.name, valid.machine_type, valid.model, valid.driver):
        _storable(text)
    json.dumps(dict(valid.settings), allow_nan=False)
    assert valid.capability.machine_type == valid.machine_type
    assert hash(valid.capability) is not None


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"name": " "}, "name: is missing"),
        ({"name": "x" * 201}, "name: at most 200 characters"),
        ({"quantity": 0}, "quantity: from 1 to 1,000,000"),
        ({"quantity": True}, "quantity: must be a whole number"),
        ({"complexity": 6}, "complexity: from 1 to 5"),
        ({"priority": 101}, "priority: from 0 to 100"),
        ({"estimated_s": -1}, "estimated_s: from 0 s to a year"),
        ({"estimated_s": float("nan")}, "estimated_s: must be a number of seconds"),
        ({"timeout_s": 0}, "timeout_s: from 0.001 s to a year"),
        (
            {"payload": {"a": float("inf")}},
            "payload: has a number that is not finite as the value of a",
        ),
        ({"payload": {"a": object()}}, "payload: must be JSON"),
        ({"payload": {"a": "x" * 70_000}}, "payload: at most 64 KiB"),
        ({"material": "a\x00b"}, "material: has a null character (U+0000) at character 2"),
        ({"due_at": 2**60}, "due_at: must be a time in the years 1970 to 9998"),
        ({"not_before": -1}, "not_before: must be a time in the years 1970 to 9998"),
        ({"envelope": Envelope(-1, 1, 1)}, "envelope: each side from 0 to 100,000 mm"),
        ({"name": "", "quantity": 0}, "name: is missing; quantity: from 1 to 1,000,000"),
    ],
)
def test_a_bad_field_is_named_in_plain_words(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        _job(values).validated()
    assert str(caught.value) == complaint
