"""Which points of a long path are worth drawing."""

from cnc_station.engine.domain.nc import Polyline

_FINENESS = 8_000  # parts of the path's extent that nobody can tell apart on a screen
_PACES = 1_000


def worth_drawing(path: Polyline, most: int) -> list[int]:
    """Places of at most `most` points that draw the same path (`most` is well above 1,000).

    A short path keeps all its points. Of a long one go those that lie on a straight line with
    their neighbours, within a distance that is doubled until few enough are left. For every
    thousandth of the path's time a point stays, so that the tool can be followed along it.
    """
    if len(path) <= most:
        return list(range(len(path)))
    tolerance = max(max(axis) - min(axis) for axis in (path.x, path.y, path.z)) / _FINENESS
    while len(kept := corners(path, max(tolerance, 1e-9))) > most:
        tolerance *= 2
    return kept


def corners(path: Polyline, tolerance: float) -> list[int]:
    """Points at which the path leaves the line on which it left the corner before, turns back on
    it, or changes between cutting and not; in one pass, whatever the path."""
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
