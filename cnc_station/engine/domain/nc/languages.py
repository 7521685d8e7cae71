"""Recognise what is not the G-code that CNC Station reads, by its name: other languages of controls
and other files. They are told from what a reader cannot read, so a program without a fault is never
taken for one of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.nc.findings import Finding, Severity

LOOKED_AT = 20_000  # lines
HEIDENHAIN_ISO = re.compile(r"%.*G7[01]\*")
_POST = "make it with a post processor for G-code (ISO)"


@dataclass(frozen=True, slots=True)
class Language:
    """A language, the lines that only it has (without blanks, in upper case), how many of them
    prove it, and what to do."""

    name: str
    lines: re.Pattern[str]
    needed: int
    remedy: str = _POST


_LANGUAGES = (
    Language("a Heidenhain plain-language program (BEGIN PGM)", re.compile(r"[0-9]*BEGINPGM.*"), 1),
    Language(
        "a Heidenhain plain-language program (L X+10 R0 FMAX)",
        re.compile(
            r"[0-9]*(?:(?:TOOL(?:CALL|DEF)|BLKFORM|CYCL(?:DEF|CALL)|CALLLBL|LBL[0-9]|FN[0-9]+:).*"
            r"|(?:L|LN|CC|C|CR|CT|LP|CP|RND|CHF)(?:R0|RL|RR|[XYZABCI]+[-+][0-9.]).*)"
        ),
        3,
    ),
    Language(
        "a Heidenhain DIN/ISO program (* at the end of each line), whose codes differ",
        HEIDENHAIN_ISO,
        1,
    ),
    Language(
        "a program with * at the end of each line (Heidenhain DIN/ISO, EIA)",
        re.compile(r"N?[0-9]*[A-Z%].*\*"),
        3,
    ),
    Language(
        "a Siemens program in its own language (CYCLE81, MSG, R1=, GOTOF)",
        re.compile(
            r"(?:N[0-9]+)?(?:(?:CYCLE|POCKET|SLOT|HOLES|LONGHOLE)[0-9]*\(?.*|MSG\(?|WORKPIECE.*"
            r"|DEF(?:REAL|INT|BOOL|STRING|AXIS|FRAME).*|PROC[A-Z_].*|MCALL.*|A?(?:TRANS|ROT|MIRROR"
            r"|SCALE)(?:[XYZ].*)?|IF.*GOTO[FBC].*|GOTO[FBC].*|R[0-9]+=.*|T=?\".*|STOPRE|SUPA.*"
            r"|TRAORI.*|TRANSMIT|TRACYL.*|EXTERN.*|LIMS=.*|SPOS=.*|SETMS.*|E_(?:HEAD|LAB).*"
            r"|.*[XYZABCFSI]=(?:AC|IC|DC|R[0-9]).*|.*(?:RND|CHF|CHR|CR)=.*|REPEATB?[A-Z_]+.*)"
        ),
        1,
        "CNC Station reads Siemens programs in ISO mode (G291) only",
    ),
    Language(
        "an Okuma program with statements of its own (CALL O, VC1=, NOEX)",
        re.compile(r"(?:N[A-Z0-9]+)?(?:CALLO.*|NOEX.*|V[CZ][A-Z0-9]+=.*|(?:G15)H[0-9]+|MODIN.*)"),
        1,
    ),
    Language(
        "a Gerber file, which describes a circuit board",
        re.compile(r"%(?:FS|MO|AD|LP|AM|IP).*\*%?.*|(?:G0[123])?X[-0-9]+Y[-0-9]+D0[123]\*"),
        2,
        "make a program of it with a CAM program for circuit boards",
    ),
    Language(
        "an Excellon drill file, which describes a circuit board",
        re.compile(r"M48|(?:METRIC|INCH)(?:,[LT]Z.*)?|T[0-9]+(?:F[0-9]+S[0-9]+)?C[0-9.]+.*|FMAT.*"),
        2,
        "make a program of it with a CAM program for circuit boards",
    ),
    Language(
        "a ShopBot program",
        re.compile(r"[JM][2345S],[-0-9.,&]+.*|[JM][XYZ],[-0-9.]+|TR,[0-9]+.*|SA$|C[6-9]$"),
        3,
    ),
    Language(
        "a program for a 3D printer (E moves its extruder)",
        re.compile(r"M10[49]S.*|M1[49]0S.*|G1.*E-?[0-9.]+|M8[23]"),
        3,
        "only machines that cut are run here",
    ),
)
_FILES = (
    (rb"PK\x03\x04", "an archive or an Office document"),
    (rb"\xd0\xcf\x11\xe0", "an Office document"),
    (rb"%PDF", "a PDF document"),
    (rb"\{\\rtf", "a document of a word processor (RTF)"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM....\x00\x00\x00\x00", "a picture"),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!", "an archive"),
    (rb"\s*<(?:\?xml|!doctype|html|svg)", "an XML file or a web page"),
    (rb"\s*ISO-10303-21", "a STEP model"),
    (rb"\s*solid\s[^\n]*\n\s*facet", "an STL model"),
    (rb"\s*(?:999\s[^\n]*\n\s*)*0\r?\n\s*SECTION", "a DXF drawing"),
    (rb"\s*(?:IN;|PU;|PA;|!PZ|\^IN|VS[0-9]+;|SP[0-9];)", "a plotter file (HP-GL)"),
    (rb"\s*[\[{]\s*\"", "a JSON file"),
)
_KNOWN_FILES = tuple((re.compile(start, re.IGNORECASE | re.DOTALL), name) for start, name in _FILES)


def file_type(source: bytes) -> str | None:
    """Return what kind of file begins like this; None if it is not known."""
    head = source[:1000]
    return next((name for start, name in _KNOWN_FILES if start.match(head)), None)


def other_language(lines: Sequence[str]) -> Finding | None:
    """Return the one finding for a program in another language."""
    head = lines[:LOOKED_AT]
    for language in _LANGUAGES:
        found = [number for number, line in enumerate(head, 1) if language.lines.fullmatch(line)]
        if len(found) >= language.needed:
            message = f"this is {language.name}: CNC Station cannot read it; {language.remedy}"
            return Finding(found[0], Severity.ERROR, message)
    return None
