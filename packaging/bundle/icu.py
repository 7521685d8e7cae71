"""Makes ICU's data small: Qt needs its rules of sorting and cases, of all languages, and no more.

The library is nothing but one archive, of which ICU's own tool removes items; what asks for one of
them falls back as for a language that ICU does not know. This takes 27 of 31 MB.
"""

import re
import subprocess
import tempfile
from pathlib import Path

_SYMBOL = re.compile(r"([0-9a-f]{16}) ([0-9a-f]{16}) R (icudt\d+_dat)$", re.MULTILINE)
# Names of currencies, languages, regions, units and time zones, spelled numbers, line breaks,
# character sets, and the formats of all but two languages: the window has its own.
_REMOVED = re.compile(
    r".*\.cnv|(brkitr|translit)/.*|(curr|lang|rbnf|region|unit|zone)/(?!(root|res_index|pool)\.).*"
    r"|(?!(de|en|root)[_.])[a-z]{2,3}(_\w+)?\.res"
)
_SOURCE = """\
    .section .rodata
    .globl {symbol}
    .type {symbol}, @object
    .balign 16
{symbol}:
    .incbin "{data}"
    .size {symbol}, . - {symbol}
    .section .note.GNU-stack, "", @progbits
"""


def shrink(library: Path) -> None:
    """Replace `libicudata.so.N` by one with less in it."""
    found = _SYMBOL.search(_run("nm", "-D", "-S", str(library)))
    assert found is not None, f"{library} is not ICU's data"
    place, size, symbol = int(found[1], 16), int(found[2], 16), found[3]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = folder / f"{symbol.removesuffix('_dat')}l.dat"
        # the section stands in the file where it stands in memory
        whole.write_bytes(library.read_bytes()[place : place + size])
        removed = [item for item in _run("icupkg", "-l", whole).split() if _REMOVED.fullmatch(item)]
        (folder / "removed.txt").write_text("\n".join(removed))
        small = folder / "small" / whole.name
        small.parent.mkdir()
        _run("icupkg", "-r", folder / "removed.txt", whole, small)
        (folder / "data.s").write_text(_SOURCE.format(symbol=symbol, data=small))
        _run("as", "-o", folder / "data.o", folder / "data.s")
        _run("ld", "-shared", "-s", "-soname", library.name, "-o", library, folder / "data.o")


def _run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
