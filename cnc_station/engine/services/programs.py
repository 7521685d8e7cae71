"""Check new programs, and compute their paths for drawing."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from cnc_station.engine.domain import nc, text_gate
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.nc import encoding
from cnc_station.engine.outside_file import MOST_PROGRAM_BYTES, size_text
from cnc_station.engine.store.programs import KeptProgram
from cnc_station.engine.views import ReadAs, Toolpath

MAX_NAME = 200
MAX_MESSAGE = 400  # characters of a finding, which may quote the program
ERRORS_TOLD = 20
POINTS = 40_000
PATHS_KEPT = 32
_FINENESS = 8_000  # of a path's extent: smaller distances cannot be seen on a screen
_PACES = 1_000
_CUTTING = frozenset((nc.Kind.FEED, nc.Kind.ARC))


def check_program(name: str, content: bytes) -> KeptProgram:
    """Return a program ready to be stored, with its warnings. A path before the name is dropped.

    It is kept byte for byte, unless it is UTF-16. Takes about a second for 200,000 lines: call it
    on a thread. Raises InvalidInput with the lines (`line 12`) where the program is wrong.
    """
    bare = name.replace("\\", "/").rpartition("/")[2].strip()
    if (wrong := text_gate.fault(bare)) is not None:
        raise InvalidInput(FieldError("name", wrong))
    if not bare or len(bare) > MAX_NAME:
        raise InvalidInput(FieldError("name", f"must be a name of at most {MAX_NAME} characters"))
    if len(content) > MOST_PROGRAM_BYTES:
        reason = f"is larger than {size_text(MOST_PROGRAM_BYTES)}"
        raise InvalidInput(FieldError("program", reason))
    content, remarks = _as_machines_read(content)
    program = nc.read(content)
    if program.refused:
        raise InvalidInput(*_errors(program.findings))
    return KeptProgram(
        sha256=hashlib.sha256(content).hexdigest(),
        name=bare,
        content=content,
        lines=program.lines,
        duration_s=program.duration_s,
        findings=tuple(
            (f.line, f.severity.value, text_gate.visible(f.message, MAX_MESSAGE))
            for f in (*remarks, *program.findings)
        ),
        doubtful=program.doubtful,
    )


def _as_machines_read(content: bytes) -> tuple[bytes, tuple[nc.Finding, ...]]:
    """Return the program as it is kept and sent (no machine reads UTF-16), and what was changed."""
    if encoding.utf_16(content) is None:
        return content, ()
    told = "the file is saved as UTF-16, which machines cannot read: kept as plain text (UTF-8)"
    return encoding.as_ascii_based(content), (nc.Finding(0, nc.Severity.WARNING, told),)


def _errors(findings: tuple[nc.Finding, ...]) -> list[FieldError]:
    wrong = [f for f in findings if f.severity is nc.Severity.ERROR]
    told = [
        FieldError(f"line {f.line}" if f.line else "program", f.message)
        for f in wrong[:ERRORS_TOLD]
    ]
    if len(wrong) > ERRORS_TOLD:
        told.append(FieldError("program", f"and {len(wrong) - ERRORS_TOLD} more errors"))
    return told


def worth_drawing(path: nc.Polyline, most: int) -> list[int]:
    """Return the indexes of at most `most` points that draw the same path (`most` > 1,000).

    Points that lie on a straight line with their neighbours are dropped, within a tolerance that
    is doubled until few enough are left. One point stays for every thousandth of the path's time,
    so that the tool can be followed along it.
    """
    if len(path) <= most:
        return list(range(len(path)))
    tolerance = max(max(axis) - min(axis) for axis in (path.x, path.y, path.z)) / _FINENESS
    while len(kept := corners(path, max(tolerance, 1e-9))) > most:
        tolerance *= 2
    return kept


def corners(path: nc.Polyline, tolerance: float) -> list[int]:
    """Return, in one pass, the points where the path leaves the line from the last corner, turns
    back on it, or changes its kind of move."""
    xs, ys, zs, kinds, times = path.x, path.y, path.z, path.kind, path.time_s
    pace = times[-1] / _PACES
    square = tolerance * tolerance
    kept = [0]
    corner = place = 0
    last = len(path) - 1
    while place < last:
        corner = kept[-1]
        x, y, z, until = xs[corner], ys[corner], zs[corner], times[corner] + pace
        far = 0.0
        place = corner + 1
        while place < last:  # leave the corner
            dx, dy, dz = xs[place] - x, ys[place] - y, zs[place] - z
            far = dx * dx + dy * dy + dz * dz
            if far > square or times[place] > until:
                break
            place += 1
        if far > square:
            reach = far**0.5
            dx, dy, dz = dx / reach, dy / reach, dz / reach
            kind = kinds[place]
            while place < last and kinds[place + 1] == kind and times[place + 1] <= until:
                vx, vy, vz = xs[place + 1] - x, ys[place + 1] - y, zs[place + 1] - z
                along = vx * dx + vy * dy + vz * dz
                if along < reach or vx * vx + vy * vy + vz * vz - along * along > square:
                    break
                reach = along
                place += 1
        kept.append(place)
    return kept


def toolpath(sha256: str, content: bytes) -> Toolpath:
    """Return a program's path for drawing, of at most `POINTS` points (see `worth_drawing`)."""
    program = nc.read(content)
    path = nc.polyline(program)
    kept = worth_drawing(path, POINTS)
    return Toolpath(
        sha256=sha256,
        x=tuple(path.x[i] for i in kept),
        y=tuple(path.y[i] for i in kept),
        z=tuple(path.z[i] for i in kept),
        line=tuple(path.line[i] for i in kept),
        kind=tuple(int(path.kind[i] in _CUTTING) for i in kept),
        seconds=tuple(path.time_s[i] for i in kept),
        duration_s=program.duration_s,
        lathe=program.lathe,
        assumes=program.assumes,
        reading=ReadAs(
            program.reading.dialect.label, program.reading.certainty, program.reading.reasons
        ),
        doubtful=program.doubtful,
    )


class Toolpaths:
    """Caches the `size` last used paths. `load` returns the bytes of a stored program.

    Thread-safe: a path is computed on the calling thread.
    """

    def __init__(self, load: Callable[[str], bytes | None], size: int = PATHS_KEPT) -> None:
        self._load = load
        self._size = size
        self._paths: OrderedDict[str, Toolpath] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, sha256: str) -> Toolpath | None:
        with self._lock:
            if sha256 in self._paths:
                self._paths.move_to_end(sha256)
                return self._paths[sha256]
        content = self._load(sha256)
        if content is None:
            return None
        path = toolpath(sha256, content)
        with self._lock:
            self._paths[sha256] = path
            while len(self._paths) > self._size:
                self._paths.popitem(last=False)
        return path
