"""Names of NC programs: the file endings that controls use, and when two names mean one program.
bracket.nc can be BRACKET.MIN, /NC/BRACKET.EIA or _N_BRACKET_MPF at the control; O1234.nc can be
:1234."""

import re

# File endings of NC programs in lower case: those of CAM systems, then those of the controls.
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
_DRIVE = re.compile(r"[^:/]+:")  # TNC:, MD1:, C:; a leading colon is Fanuc's O
_SIEMENS = re.compile(r"_n_(.+)_(?:mpf|spf)")


def same_program(ordered: str, reported: str) -> bool:
    """Return whether both names mean the same program. Folder, drive, letter case and a known
    ending (`ENDINGS`) make no difference, nor O, colon and leading zeros of a number. An empty name
    does not match any program."""
    ours = _core(ordered)
    return ours != "" and ours == _core(reported)


def spelled(ordered: str) -> str:
    """Return the name as people read it, with an example of another accepted spelling."""
    stem, ending = _split(_file(ordered))
    other = ".nc" if ending.lower() == ".min" else ".MIN"
    return f"{_file(ordered)} (also {(stem + other).upper()})"


def is_program(name: str) -> bool:
    """Return whether a file of this name can be an NC program. Its ending decides. Without an
    ending it must be a program number (O1234) or a Siemens name."""
    stem, ending = _split(_file(name))
    return bool(ending or _NUMBER.fullmatch(stem.casefold()) or _SIEMENS.fullmatch(stem.casefold()))


def _file(path: str) -> str:
    """Return the name without its folder and drive."""
    name = path.replace("\\", "/").strip().rstrip("/").rpartition("/")[2].strip()
    drive = _DRIVE.match(name)
    return name[drive.end() :].strip() if drive and drive.end() < len(name) else name


def _split(name: str) -> tuple[str, str]:
    """Return the name and its ending. The ending is empty if it is not a known one."""
    stem, dot, ending = name.rpartition(".")
    if stem and (dot + ending).lower() in ENDINGS:
        return stem, dot + ending
    return name, ""


def _core(path: str) -> str:
    """Return what all spellings of one name have in common."""
    stem = _split(_file(path).casefold())[0]
    siemens = _SIEMENS.fullmatch(stem)
    if siemens:
        return siemens[1]
    number = _NUMBER.fullmatch(stem)
    return f"o{number[1]}" if number else stem
