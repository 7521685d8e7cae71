"""Builds the bundle, and from it the Debian package: `./dev installer`. On Windows, the installer.

usage: installer.py bundle | deb | repack | windows

`build/` and `dist/` in the checkout get the results: `dist/cnc-station/` is the bundle,
`dist/cnc-station_VERSION_amd64.deb` the package. `repack` makes the package of the bundle that is
there.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import debian
import icu
import licences
import windows

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "dist/cnc-station"
_NATIVE = b"\x7fELF"


def bundle() -> Path:
    """Make the bundle. Raises SystemExit for a part that may not be in it."""
    if wrong := licences.refused():
        sys.exit("these may not be in the bundle:\n    " + "\n    ".join(wrong))
    shutil.rmtree(ROOT / "build/licences", ignore_errors=True)
    licences.collect(ROOT / "build/licences", Path(__file__).with_name("licences"))
    recipe = Path(__file__).with_name("cnc-station.spec")
    folders = ["--distpath", BUNDLE.parent, "--workpath", ROOT / "build/pyinstaller"]
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    subprocess.run([*command, *folders, recipe], check=True, cwd=ROOT)
    _strip(BUNDLE)
    for data in BUNDLE.rglob("libicudata.so.*"):
        if not data.is_symlink():
            icu.shrink(data)
    return BUNDLE


def _strip(folder: Path) -> None:
    """Remove symbols that no one debugs with. Libraries in `*.libs` were moved into their wheels by
    a tool that leaves a layout which strip breaks."""
    for file in sorted(folder.rglob("*.so*")):
        if file.is_symlink() or any(part.endswith(".libs") for part in file.parts):
            continue
        with file.open("rb") as library:
            if library.read(4) == _NATIVE:
                subprocess.run(["strip", "--strip-unneeded", file], check=True)


def main(verb: str = "deb") -> None:
    """Build what `verb` names, and say how large it is."""
    made = BUNDLE if verb == "repack" else bundle()
    if verb == "windows":
        made = windows.package(made, ROOT)
    elif verb != "bundle":
        made = debian.package(made, ROOT)
    sys.stdout.write(f"{made.relative_to(ROOT)}: {_size(made) / 1e6:,.1f} MB\n")


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files)


if __name__ == "__main__":
    main(*sys.argv[1:])
