"""Names of NC programs: which file endings controls use, and when two names mean one program.

A program that is called bracket.nc here may be BRACKET.MIN, /NC/BRACKET.EIA or _N_BRACKET_MPF at
the control, and O1234.nc may be :1234 there.
"""

import re

# Endings of NC programs, in lower case: those of CAM systems, then those of the controls.
ENDINGS = frozenset(
    (
        *(".nc", ".ngc", ".tap", ".gcode", ".gco", ".gc", ".cnc", ".txt", ".ncc", ".ncd", ".ncp"),
        *(".iso", ".din", ".anc", ".ncf", ".pim", ".prg", ".mp"),
        *(".min", ".ssb", ".sub"),  # Okuma
        *(".eia",),  # Mazak
        *(".mpf", ".spf"),  # Siemens
        *(".h", ".i"),  # Heidenhain
    )
)
_NUMBER = re.compile(r"[o:]?0*(?=\d)(\d+)", re.ASCII)
_DRIVE = re.compile(r"[^:/]+:")  # TNC:, MD1:, C:; a colon in front is Fanuc's O
_SIEMENS = re.compile(r"_n_(.+)_(?:mpf|spf)")


def same_program(ordered: str, reported: str) -> bool:
    """Whether both names mean the same program.

    Folders, drives, letter case and one known ending (`ENDINGS`) make no difference; an unknown
    ending is a part of the name. Program numbers are the same with O, with a colon or with
    neither, and with any leading zeros. A missing name is not the name of any program.
    """
    ours = _core(ordered)
    return ours != "" and ours == _core(reported)


def spelled(ordered: str) -> str:
    """The name as people read it, with an example of another spelling that is accepted."""
    stem, ending = _split(_file(ordered))
    other = ".nc" if ending.lower() == ".min" else ".MIN"
    return f"{_file(ordered)} (also {(stem + other).upper()})"


def _file(path: str) -> str:
    """The name without its folder and drive."""
    name = path.replace("\\", "/").strip().rstrip("/").rpartition("/")[2].strip()
    drive = _DRIVE.match(name)
    return name[drive.end() :].strip() if drive and drive.end() < len(name) else name


def _split(name: str) -> tuple[str, str]:
    """The name and its ending, if that is a known one."""
    stem, dot, ending = name.rpartition(".")
    if stem and (dot + ending).lower() in ENDINGS:
        return stem, dot + ending
    return name, ""


def _core(path: str) -> str:
    """What two spellings of one name have in common."""
    stem = _split(_file(path).casefold())[0]
    siemens = _SIEMENS.fullmatch(stem)
    if siemens:
        return siemens[1]
    number = _NUMBER.fullmatch(stem)
    return f"o{number[1]}" if number else stem
