"""The routes about what people write for the set-up of a program."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import Field

from cnc_station.engine.commands import EditSetUpSheet
from cnc_station.engine.queries import SetUpSheetOf
from cnc_station.engine.views.attachments import SetUpSheet
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import Call, Reply, Route, check_version, etag
from cnc_station.web.api.values import TakenJson, TimeOut, Told

_Line = Annotated[str, Field(max_length=200)]
_Number = Annotated[str, Field(pattern="^[0-9]{1,9}$")]


class SetUpSheetFields(TakenJson):
    """What people write for a program: about its tools by number, and its work offsets by name."""

    notes: Annotated[str, Field(max_length=10_000)] = ""
    tools: Mapping[_Number, _Line] = {}
    work_offsets: Mapping[_Line, _Line] = {}
    first_part: bool = False


class SetUpSheetOut(Told):
    """The set-up sheet of a program, for all revisions of its name. `first_part`: the first part of
    a run is to be checked."""

    program: str
    version: int
    notes: str
    tools: Mapping[int, str]
    work_offsets: Mapping[str, str]
    first_part: bool
    edited_at: TimeOut | None
    edited_by: str

    @classmethod
    def of(cls, sheet: SetUpSheet) -> Self:
        return cls.model_validate(sheet)


async def _sheet(call: Call) -> SetUpSheet:
    sheet = await call.door.ask(SetUpSheetOf(call.path["sha256"]))
    if sheet is None:
        raise not_found(f"program {call.path['sha256']}")
    return sheet


async def _show(call: Call) -> Reply:
    sheet = await _sheet(call)
    return Reply(SetUpSheetOut.of(sheet), 200, etag(sheet.version))


async def _edit(call: Call) -> Reply:
    """Replace the whole sheet."""
    sheet = await _sheet(call)
    check_version(call, sheet.version)
    fields: SetUpSheetFields = call.body
    tools = {int(number): text for number, text in fields.tools.items()}
    await call.door.execute(
        EditSetUpSheet(
            *(call.path["sha256"], fields.notes, tools, fields.work_offsets),
            first_part=fields.first_part,
            version=sheet.version,
        )
    )
    return await _show(call)


ROUTES: Sequence[Route] = (
    Route(
        "GET",
        "/programs/{sha256}/set-up-sheet",
        "Show the set-up sheet of a program",
        SetUpSheetOf,
        _show,
        {200: SetUpSheetOut},
        refuses=(404,),
    ),
    Route(
        "PUT",
        "/programs/{sha256}/set-up-sheet",
        "Replace the set-up sheet of a program",
        EditSetUpSheet,
        _edit,
        {200: SetUpSheetOut},
        body=(SetUpSheetFields,),
        conditional=True,
        refuses=(404, 409, 412),
    ),
)
