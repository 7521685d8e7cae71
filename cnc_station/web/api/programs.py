"""The routes about NC programs."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from cnc_station.engine.commands import AddProgram
from cnc_station.engine.queries import ListPrograms, ProgramByHash
from cnc_station.engine.views import ProgramDetail, ProgramRow
from cnc_station.engine.views.programs import ProgramFinding
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.values import Taken, TimeOut, Told


class ProgramOut(Told):
    """A stored program: immutable bytes known by SHA-256, one revision of its name."""

    sha256: str
    name: str
    revision: int
    size: int
    lines: int
    duration_s: float
    warnings: int
    added_at: TimeOut
    added_by: str
    jobs: int
    last_used_at: TimeOut | None

    @classmethod
    def of(cls, row: ProgramRow) -> Self:
        return cls.model_validate(row)


class FindingOut(Told):
    """A finding about a line of a program (lines count from 1)."""

    line: int
    severity: str
    message: str

    @classmethod
    def of(cls, finding: ProgramFinding) -> Self:
        return cls.model_validate(finding)


class ProgramDetailOut(ProgramOut):
    """A program with its findings and all revisions of its name."""

    findings: list[FindingOut]
    revisions: list[ProgramOut]
    work_offsets: list[str]

    @classmethod
    def of_detail(cls, detail: ProgramDetail) -> Self:
        row = ProgramOut.of(detail.row)
        return cls.model_construct(
            **{name: getattr(row, name) for name in ProgramOut.model_fields},
            findings=[FindingOut.of(finding) for finding in detail.findings],
            revisions=[ProgramOut.of(revision) for revision in detail.revisions],
            work_offsets=list(detail.work_offsets),
        )


class ProgramsOut(Told):
    """Stored programs."""

    programs: list[ProgramOut]


class ProgramsIn(Taken):
    """Those whose name contains `q`."""

    q: str = ""


class NameIn(Taken):
    """The name of the program: new bytes under a known one are a new revision."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


async def _show_list(call: Call) -> Reply:
    rows = await call.door.ask(ListPrograms(call.query.q))
    return Reply(ProgramsOut(programs=[ProgramOut.of(row) for row in rows]))


async def _add(call: Call) -> Reply:
    """Store the bytes of the body. The same bytes again answer the program that they are."""
    row = await call.door.execute(AddProgram(call.query.name, call.body))
    return Reply(ProgramOut.of(row), 201, {"Location": f"/api/v1/programs/{row.sha256}"})


async def _detail(call: Call) -> ProgramDetail:
    detail = await call.door.ask(ProgramByHash(call.path["sha256"]))
    if detail is None:
        raise not_found(f"program {call.path['sha256']}")
    return detail


async def _show(call: Call) -> Reply:
    return Reply(ProgramDetailOut.of_detail(await _detail(call)))


async def _content(call: Call) -> Reply:
    text = (await _detail(call)).text
    return Reply(text.encode("utf-8", "surrogateescape"), media_type="text/plain")


ROUTES: Sequence[Route] = (
    Route(
        "POST",
        "/programs",
        "Store a program",
        AddProgram,
        _add,
        {201: ProgramOut},
        query=NameIn,
        uploads=True,
        creates=True,
    ),
    Route(
        "GET",
        "/programs",
        "List programs",
        ListPrograms,
        _show_list,
        {200: ProgramsOut},
        query=ProgramsIn,
    ),
    Route(
        "GET",
        "/programs/{sha256}",
        "Show a program",
        ProgramByHash,
        _show,
        {200: ProgramDetailOut},
        refuses=(404,),
    ),
    Route(
        "GET",
        "/programs/{sha256}/content",
        "Download a program",
        ProgramByHash,
        _content,
        {200: "text/plain"},
        refuses=(404,),
    ),
)
