"""Every text of every command is checked at the door, also those of commands that come later."""

import enum
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar

import pytest

from cnc_station.engine import commands
from cnc_station.engine.commands import (
    ActOnJobs,
    AddProgram,
    AttachFile,
    Command,
    EditJob,
    ImportJobs,
    SaveSettings,
    SubmitJobs,
)
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.admission import REASON, Text
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import Principal, local_principal
from cnc_station.engine.door import Door

COMMANDS = sorted(
    (
        kind
        for kind in vars(commands).values()
        if isinstance(kind, type) and issubclass(kind, Command) and kind is not Command
    ),
    key=lambda kind: kind.__name__,
)
EVIL = "ab\u202ec"
UNIONS = (types.UnionType, typing.Union)


def sample(kind: Any) -> Any:
    """Return some value of a type."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{field.name: sample(hints[field.name]) for field in fields(kind)})
    if args := typing.get_args(kind):
        return wrapped(
            typing.get_origin(kind), sample(args[-1] if args[-1] is not ... else args[0])
        )
    return "a" if kind in {str, Any} else None if kind is type(None) else kind()


def wrapped(origin: Any, value: Any) -> Any:
    """Return a container of this kind with one value; the value itself for a union."""
    if origin in UNIONS:
        return value
    if origin is Mapping:
        return {"a": value}
    assert origin in {tuple, list, Sequence, frozenset}, origin
    return frozenset({value}) if origin is frozenset else (value,)


def poisoned(kind: Any) -> Iterator[tuple[str, Any]]:
    """Yield for each text in a value of this type its place, and the value with EVIL there."""
    if kind in {str, Any}:
        yield "", EVIL
    elif is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        for field in fields(kind):
            for place, value in poisoned(hints[field.name]):
                yield f"{field.name}.{place}", replace(sample(kind), **{field.name: value})
    else:
        origin, args = typing.get_origin(kind), typing.get_args(kind)
        if origin is Mapping:
            yield "key", {EVIL: sample(args[1])}
        for arg in args[1:] if origin is Mapping else args:
            for place, value in poisoned(arg):
                yield f"{'value.' if origin is Mapping else ''}{place}", wrapped(origin, value)


def door(reached: list[Any], operator: str = "Ada") -> Door:
    async def answer(_principal: Principal, asked: Any) -> None:
        reached.append(asked)

    return Door(local_principal(operator), answer, lambda _: lambda: None, lambda _: lambda: None)


CASES = [
    pytest.param(value, id=f"{kind.__name__}.{place}")
    for kind in COMMANDS
    for place, value in poisoned(kind)
]


def test_the_walk_finds_the_texts_of_all_kinds_of_commands() -> None:
    found = {str(case.id) for case in CASES}
    assert len(found) > 40
    assert found >= {
        "SubmitJobs.specs.name.",
        "SubmitJobs.specs.payload.key",
        "SubmitJobs.specs.after_keys.",
        "EditJob.changes.value.",
        "ActOnJobs.reason.",
        "AddMachine.spec.settings.value.",
        "AddMachine.spec.capability.materials.",
        "MoveMachine.station.",
        "UndoJobActions.steps.details.value.",
    }


@pytest.mark.parametrize("command", CASES)
async def test_no_text_of_a_command_brings_a_hidden_character_in(command: Command[Any]) -> None:
    reached: list[Any] = []
    if isinstance(command, ImportJobs | AttachFile) and command.name == EVIL:
        await door(reached).execute(command)
        assert reached[0].name == "ab\\u202ec"  # the name of a file, which can't be refused
        return
    with pytest.raises(InvalidInput, match=r"right-to-left override \(U\+202E\) at character 3"):
        await door(reached).execute(command)
    assert not reached


async def test_a_name_arrives_in_the_spelling_that_is_compared() -> None:
    reached: list[Any] = []
    spec = JobSpec("  Gro\u0308ße\u00a07 ", "mill", key=" a", after_keys=("a ",))
    await door(reached).execute(SubmitJobs([spec]))
    (told,) = reached[0].specs
    assert (told.name, told.key, told.after_keys) == ("Größe 7", "a", ("a",))
    await door(reached).execute(AddProgram("tu\u0308r.nc", b""))
    assert reached[1].name == "tür.nc"
    await door(reached).execute(ActOnJobs(JobAction.PAUSE, [1], "first\r\n\tsecond "))
    assert reached[2].reason == "first\n\tsecond"


async def test_values_for_a_handler_arrive_as_they_are() -> None:
    reached: list[Any] = []
    values = {"path": " Gro\u0308ße\u00a07\n", "n": [1, None, 2.5]}
    await door(reached).execute(SaveSettings(values))
    await door(reached).execute(EditJob(1, {"payload": values}))
    assert reached[0].values == values
    assert reached[1].changes["payload"] == values


async def test_a_text_is_as_long_as_its_kind_allows() -> None:
    reached: list[Any] = []
    asked = door(reached)
    await asked.execute(ActOnJobs(JobAction.PAUSE, [1], "x" * REASON.most))
    for command, wrong in (
        (ActOnJobs(JobAction.PAUSE, [1], "x" * 2_001), "reason: at most 2,000 characters"),
        (ActOnJobs(JobAction.PAUSE, [1], "\ufb2c" * 1_000), "reason: at most 2,000 characters"),
        (SubmitJobs([JobSpec("x" * 201, "mill")]), "name: at most 200 characters"),
        (SubmitJobs([JobSpec("x", "m" * 41)]), "machine_type: at most 40 characters"),
        (ActOnJobs(JobAction.PAUSE, [1], None), "reason: must be text"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidInput) as caught:
            await asked.execute(command)
        assert str(caught.value) == wrong
    assert len(reached) == 1


async def test_a_command_of_tomorrow_is_checked_without_further_code() -> None:
    @dataclass(frozen=True, slots=True)
    class Note:
        tags: tuple[str, ...]

    @dataclass(frozen=True, slots=True)
    class AddNote(Command[None]):
        TEXTS: ClassVar = {"text": Text(20, lines=True)}
        text: str
        notes: Sequence[Note]

    reached: list[Any] = []
    asked = door(reached)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cnc_station.engine.domain.permissions.check", lambda *_: None)
        for bad in (
            AddNote("a\u2066b", ()),
            AddNote("a" * 21, ()),
            AddNote("a", [Note(("b", "c\nd"))]),
        ):
            with pytest.raises(InvalidInput):
                await asked.execute(bad)
        await asked.execute(AddNote("a\nb", [Note(("b", " c"))]))
    assert reached[0].notes[0].tags == ("b", "c")


def test_an_operator_may_not_take_a_name_that_misleads() -> None:
    asked = door([])
    for name in ("Ada\x1b[31m", "", "\u200b", "x" * 61, "Ada\nBen"):
        with pytest.raises(InvalidInput, match="operator: "):
            asked.rename_operator(name)
    asked.rename_operator(" Ada L.\u00a0")
    assert asked.operator == "Ada L."


def test_a_name_stored_by_an_earlier_version_does_not_keep_the_station_from_starting() -> None:
    assert door([], "Ada\u202e").operator == "Ada\\u202e"
