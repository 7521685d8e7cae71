"""Find the dialect of a program from its text, and how sure that is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.nc import dialects
from cnc_station.engine.domain.nc.dialect import Certainty, Dialect, Reading

READ_LINES, MARKED_LINES, COMMENT_BYTES = 3_000, 400, 20_000  # from the start of the program
# The first block with a motion: its code, or an axis after codes that only set modes.
BEGIN = re.compile(
    r"(?:N[0-9]+)?(?:G(?:1[789]|2[01]|4[09]|5[4-9]|9[0145]))*+(?:(?P<code>G[0-9])|[XYZ])"
)
PLAIN = re.compile(r"(?:N[0-9]+)?(?:G0?[0-3])?(?:[XYZIJKRF][-+]?[0-9.]+)+")
CLEAR_LEAD = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """Text that speaks for some dialects. Letters: L lathe; A, B its G-code systems; M mill; H
    Haas; F Fanuc or Haas, mill or lathe; N LinuxCNC; G Grbl; S Siemens; 3 Mach; T Tormach."""

    weights: str
    weight: int
    reason: str
    pattern: re.Pattern[str]


def _mark(weights: str, weight: int, reason: str, pattern: str) -> Mark:
    return Mark(weights, weight, reason, re.compile(pattern, re.MULTILINE))


# In cleaned lines: upper case, no blanks, no comments.
MARKS = (
    _mark("F", 2, "it begins with an O number", r"\A(?:%.*\n)?%?[O:][0-9]{1,8}(?![A-Z0-9])"),
    _mark("F", 2, "it has macro statements (IF, WHILE, GOTO, G65)", r"WHILE\[|IF\[|GOTO|G65P"),
    _mark("F", 1, "M98 calls a subprogram by its number", r"M98P"),
    _mark("F", 1, "G40, G49 and G80 stand together", r"G40G49G80|G80G40G49|G40G80"),
    _mark("F", 3, "G5 P or G8 P controls the look-ahead", r"G0?5P|G0?5\.1Q|G0?8P[01](?![0-9])"),
    _mark("L", 4, "T has the tool and its offset (T0101)", r"T(?:[0-9]{4}|[1-9]0[1-9])(?![0-9])"),
    _mark("L", 3, "G50 or G92 limits the spindle speed", r"G(?:50|92)S[0-9]|^N?[0-9]*S[0-9]+G50"),
    _mark("L", 2, "G96 keeps the surface speed constant", r"G96"),
    _mark("L", 3, "U and W are increments", r"[UW][-+]?[0-9.#\[]"),
    _mark("L", 4, "G70 to G73 follow a profile (P, Q)", r"G7[0-3]P[0-9]+Q[0-9]+"),
    _mark("L", 3, "G71 to G76 are turning cycles", r"G7[1-5][UWR][.0-9]+(R[.0-9]+)?$|G76P[0-9]{5}"),
    _mark("LA", 3, "G98 or G99 is a feed mode (system A)", r"^(N[0-9]+)?G9[89]($|.*F0?\.[0-9])"),
    _mark("LA", 3, "G90, G92 or G94 is a cycle (system A)", r"G9[024](?:[XUZW][-0-9.]+){1,2}.*F"),
    _mark("LB", 4, "G77, G78 or G79 is a cycle (system B)", r"G7[789][XZUWF]"),
    _mark("B", 2, "G95 is the feed a revolution (system B)", r"G95(?![0-9XPZ])"),
    _mark("M", 3, "M6 changes the tool", r"M0?6(?![0-9])"),
    _mark("FM", 3, "G43 takes a tool length by H", r"G43(?:\.[14])?[XYZ0-9.]*H[0-9]"),
    _mark("FM", 2, "G54.1 calls an additional work offset", r"G54\.1P"),
    _mark("HF", 4, "it has codes of Haas", r"G154P|G1[12][0-9](?![0-9.])|G187|G103P|M97P|G2[35]4"),
    _mark("HF", 4, "I, J and K give the pecks (Haas)", r"G(?:83|73)(?!.*Q).*I[0-9.]+"),
    _mark("HF", 3, "a profile cycle has its depth D (Haas)", r"G7[123]P[0-9]+.*D[0-9]*\."),
    _mark("HF", 3, "a cycle has its I or K (Haas)", r"G75X[^P]*I[0-9.]|G76X.*K[0-9.]+.*D0?\."),
    _mark("N", 6, "it has O words of LinuxCNC", r"O(?:<|[0-9]+(?:SUB|CALL|IF|WHILE|DO|REPEAT))"),
    _mark("N", 6, "it has named parameters", r"#<"),
    _mark("N", 4, "it has codes of LinuxCNC", r"G33\.1|G64P|G61\.1|G5\.[23]|M6[2-8]P|G90\.1"),
    _mark("N", 4, "G7 or G8 is the diameter mode", r"G0?[78](?![0-9P.])"),
    _mark("N", 4, "G76 has I, J and K (LinuxCNC)", r"G76(?=.*I)(?=.*J)(?=.*K)"),
    _mark("G", 6, "it has a command of Grbl ($)", r"^\$(?:H|X|[0-9]|C)"),
    _mark("S", 6, "its head is the one of Siemens", r"^%_N_|^;\$PATH"),
    _mark("S", 4, "G70 or G71 is inch or mm", r"G7[01](?![0-9PUWRDXZ.])"),
    _mark("T", 6, "M998 parks a Tormach", r"M998"),
)
MOVES_FIRST = _mark("G", 2, "it moves before the first motion code", r"[XYZ]")
MOVES_Y = _mark("M", 4, "it moves Y", "Y")
# The letters of a control that a comment names.
NAMED = {"HAAS": "HF", "FANUC": "F", "LINUXCNC": "N", "EMC2": "N", "GRBL": "G", "MACH3": "3"}
NAMED |= {
    "MACH4": "3",
    "MACH 3": "3",
    "TORMACH": "T",
    "PATHPILOT": "T",
    "SIEMENS": "S",
    "SINUMERIK": "S",
}
NAME = re.compile("|".join(NAMED))
NAME_WEIGHT = 6
FANUC_MILL_LEAST, LATHE_LEAST = 2, 6


def guess(lines: Sequence[str], program: bytes) -> Reading:
    """Return the dialect of a program. `lines` are clean; `program` has the comments. Without any
    mark it is read as LinuxCNC reads it, which all controls have in common."""
    head = lines[:READ_LINES]
    telling = [line for line in head if line and not PLAIN.fullmatch(line)][:MARKED_LINES]
    text = program[:COMMENT_BYTES].replace(b"\0", b"").decode("latin-1").upper()
    code = "\n".join(telling)
    found = [mark for mark in MARKS if mark.pattern.search(code)]
    found += [
        Mark(NAMED[name], NAME_WEIGHT, f"a comment names {name.title()}", NAME)
        for name in sorted(set(NAME.findall(text)))
    ]
    if any("Y" in line for line in head):
        found.append(MOVES_Y)
    if moves_first(head):
        found.append(MOVES_FIRST)
    points = dict.fromkeys("LABMHFNGS3T", 0)
    for mark in found:
        for letter in mark.weights:
            points[letter] += mark.weight
    dialect, letters, lead = _decide(points)
    reasons = tuple(mark.reason for mark in found if set(mark.weights) & set(letters))
    if not reasons:
        return Reading(dialect, Certainty.ASSUMED)
    return Reading(dialect, Certainty.CLEAR if lead >= CLEAR_LEAD else Certainty.LIKELY, reasons)


def moves_first(lines: Sequence[str]) -> bool:
    """Return whether an axis moves before G0, G1, G2, G3 or any other code with a motion."""
    begin = next((found for line in lines if (found := BEGIN.match(line))), None)
    return begin is not None and not begin["code"]


def _decide(points: dict[str, int]) -> tuple[Dialect, str, int]:
    """Return a dialect, the letters that speak for it, and its lead over the next."""
    own = {
        "N": dialects.LINUXCNC,
        "G": dialects.GRBL,
        "S": dialects.SIEMENS_ISO,
        "3": dialects.MACH,
        "T": dialects.TORMACH,
    }
    first = max(own, key=lambda letter: points[letter])
    turns = points["L"] - points["M"]
    fanuc = points["F"] + (max(points["L"], 0) if turns > 0 else 0)
    if points[first] >= max(fanuc, 1):
        return own[first], first, points[first] - fanuc
    if turns > 0 and fanuc >= LATHE_LEAST:
        if points["H"]:
            return dialects.HAAS_LATHE, "LHF", turns
        apart = abs(points["B"] - points["A"]) if points["A"] and points["B"] else turns
        if points["B"] > points["A"]:
            return dialects.FANUC_LATHE_B, "LBF", min(turns, apart)
        return dialects.FANUC_LATHE_A, "LAF", min(turns, apart)
    if points["F"] >= FANUC_MILL_LEAST:
        mill = dialects.HAAS_MILL if points["H"] else dialects.FANUC_MILL
        return mill, "FHM", points["F"] - points[first] - 1
    return dialects.LINUXCNC, "", 0
