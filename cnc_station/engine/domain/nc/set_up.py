"""The tools and work offsets that a program needs, from its text. The program is not run: a tool in
a branch that is never taken is listed too, because one too many is better than one too few."""

import re
from dataclasses import dataclass

from cnc_station.engine.domain.nc.source import COMMENT

_WORTH_A_LOOK = re.compile(r"[Tt]|[Gg]\s*1?\s*5")
_NAMED = re.compile(r"<[^>]*>")  # named parameters and subs can contain any letters
_TOOL = re.compile(r"(?<![A-Z])T(\d{1,9})(?!\d)")
_OFFSET = re.compile(r"G(5[4-9]|154)(\.[1-3])?(?:P(\d{1,9}))?(?![.\d])")
_EXTENDED = frozenset({"G54.1", "G154"})
_LISTED = re.compile(r"T\s*(\d{1,9})\b[\s:=,-]*(.*)", re.IGNORECASE)
_LATHE_DIGITS = 4  # T0101: the tool, then its offset


@dataclass(frozen=True, slots=True)
class SetUp:
    """Tools in order of first use, each with the name from a comment ("" if there is none), and
    work offsets as on the control: G54, G59.1, G54.1 P3, G154 P3."""

    tools: tuple[tuple[int, str], ...] = ()
    work_offsets: tuple[str, ...] = ()


def set_up(text: str) -> SetUp:
    """Return the set-up that a program's text asks for."""
    tools: dict[int, str] = {}
    called: dict[int, str] = {}
    offsets: dict[str, None] = {}
    for line in text.splitlines():
        if not _WORTH_A_LOOK.search(line):
            continue
        comments = [found.strip("(); \t") for found in COMMENT.findall(line)]
        code = _NAMED.sub("", COMMENT.sub("", line)).upper().replace(" ", "")
        here = [number for word in _TOOL.findall(code) if (number := _tool(word))]
        for comment in comments:
            if listed := _LISTED.match(comment):
                called.setdefault(_tool(listed[1]), listed[2].strip())
            elif here:
                called.setdefault(here[0], comment)
        for number in here:
            tools.setdefault(number, "")
        for found in _OFFSET.finditer(code):
            name = f"G{found[1]}{found[2] or ''}"
            extended = f" P{int(found[3])}" if name in _EXTENDED and found[3] else ""
            offsets.setdefault(name + extended)
    named = tuple((number, called.get(number, "")) for number in tools)
    return SetUp(named, tuple(offsets))


def _tool(digits: str) -> int:
    return int(digits[:2] if len(digits) == _LATHE_DIGITS else digits)
