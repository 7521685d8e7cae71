"""The routes about NC programs."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from cnc_station.engine.commands import AddProgram
from cnc_station.engine.queries import ListPrograms, ProgramByHash, ProgramContent
from cnc_station.engine.views import ProgramDetail, ProgramRow
from cnc_station.engine.views.programs import ProgramFinding
from cnc_station.web.api.multipart import uploaded
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import BINARY, Call, Reply, Route
from cnc_station.web.api.values import PageIn, PageOut, Taken, TimeOut, Told


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


class ProgramsOut(PageOut):
    """Stored programs."""

    programs: list[ProgramOut]

    @classmethod
    def page(cls, rows: Sequence[ProgramRow], query: PageIn) -> Self:
        programs = [ProgramOut.of(row) for row in query.of(rows)]
        return cls(programs=programs, **query.told(len(rows)))


class ProgramsIn(PageIn):
    """Those whose name contains `q`."""

    q: str = ""


class NameIn(Taken):
    """The name of the program: new bytes under a known one are a new revision. Without it, it is
    that of the file which a form uploads."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None


async def _show_list(call: Call) -> Reply:
    rows = await call.door.ask(ListPrograms(call.query.q))
    return Reply(ProgramsOut.page(rows, call.query))


async def _add(call: Call) -> Reply:
    """Store the bytes of the body, or those of the field `file` of a form. Bytes that are stored
    already answer 200 and the program that they are."""
    upload = await uploaded(call)
    row = await call.door.execute(AddProgram(upload.name, upload.content))
    location = {"Location": f"/api/v1/programs/{row.sha256}"}
    return Reply(ProgramOut.of(row), 201 if row.created else 200, location)


async def _detail(call: Call) -> ProgramDetail:
    detail = await call.door.ask(ProgramByHash(call.path["sha256"]))
    if detail is None:
        raise not_found(f"program {call.path['sha256']}")
    return detail


async def _show(call: Call) -> Reply:
    return Reply(ProgramDetailOut.of_detail(await _detail(call)))


async def _revisions(call: Call) -> Reply:
    """All programs of its name, the newest first."""
    return Reply(ProgramsOut.page((await _detail(call)).revisions, call.query))


async def _content(call: Call) -> Reply:
    """The bytes as they were stored."""
    content = await call.door.ask(ProgramContent(call.path["sha256"]))
    if content is None:
        raise not_found(f"program {call.path['sha256']}")
    return Reply(content, media_type=BINARY)


ROUTES: Sequence[Route] = (
    Route(
        "POST",
        "/programs",
        "Store a program",
        AddProgram,
        _add,
        {201: ProgramOut, 200: ProgramOut},
        query=NameIn,
        uploads=True,
        forms=True,
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
        ProgramContent,
        _content,
        {200: BINARY},
        refuses=(404,),
    ),
    Route(
        "GET",
        "/programs/{sha256}/revisions",
        "List the revisions of a program",
        ProgramByHash,
        _revisions,
        {200: ProgramsOut},
        query=PageIn,
        refuses=(404,),
    ),
)
