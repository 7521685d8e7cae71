"""Small programs for the tests, and helpers to read the result."""

from cnc_station.engine.domain.nc import DEFAULT, Kind, Limits, Program, Severity, read

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


def steps(program: Program) -> list[tuple[Kind, tuple[float, float, float]]]:
    """Return what moves, and where to."""
    return [
        (move.kind, move.end)
        for move in program.moves
        if move.kind in {Kind.RAPID, Kind.FEED, Kind.ARC, Kind.HOME, Kind.DWELL}
    ]
