"""Small programs for the tests, and helpers to read the result."""

from dataclasses import dataclass

from cnc_station.engine.domain.nc import DEFAULT, Arc, Kind, Limits, Program, Severity, read

HEAD = "G21 G90 G17 G94\nT1 M6\nS1000 M3\nF600\n"


def read_text(text: str, limits: Limits = DEFAULT) -> Program:
    return read(text.encode("latin-1"), limits=limits)


def milled(body: str, limits: Limits = DEFAULT) -> Program:
    """Return a whole program around a body: millimetres, 600 mm/min, spindle on, at the origin."""
    return read_text(f"{HEAD}{body}\nM30\n", limits)


def errors(program: Program) -> list[str]:
    return [f.message for f in program.findings if f.severity is Severity.ERROR]


def warnings(program: Program) -> list[str]:
    return [f.message for f in program.findings if f.severity is Severity.WARNING]


@dataclass(frozen=True)
class Move:
    """One row of the moves as an object."""

    line: int
    kind: Kind
    start: tuple[float, float, float]
    end: tuple[float, float, float]
    feed: float
    spindle: float
    tool: int
    starts_s: float
    seconds: float
    arc: Arc | None


def moves(program: Program) -> list[Move]:
    """Return all rows of the moves."""
    rows = program.moves
    return [
        Move(
            rows.line[row],
            Kind(rows.kind[row]),
            rows.end(row - 1),
            rows.end(row),
            rows.feed[row],
            rows.spindle[row],
            rows.tool[row],
            rows.starts_s(row),
            rows.ends_s[row] - rows.starts_s(row),
            rows.arcs.get(row),
        )
        for row in range(len(rows))
    ]


def steps(program: Program) -> list[tuple[Kind, tuple[float, float, float]]]:
    """Return what moves, and where to."""
    return [
        (move.kind, move.end)
        for move in moves(program)
        if move.kind in {Kind.RAPID, Kind.FEED, Kind.ARC, Kind.HOME, Kind.DWELL}
    ]
