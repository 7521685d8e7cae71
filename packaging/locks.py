"""Makes the lock files from pyproject.toml, and tells offline whether they are still up to date.

usage: locks.py check | locks.py make [arguments for `uv pip compile`]

A lock file opens with the digest of the requirements it was made from. It names versions and hashes
for every platform and no address: where packages come from is the installing machine's own matter.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYPROJECT = HERE.parent / "pyproject.toml"
RUN = HERE / "requirements.txt"
DEV = HERE / "requirements-dev.txt"
BUILD = HERE / "requirements-build.txt"
COMPILE = (
    "uv pip compile --quiet --universal --python-version 3.11 "
    "--generate-hashes --no-header --no-annotate"
)


def header(extra: str | None) -> str:
    """The first line of the lock that holds the program's requirements and those of `extra`."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    asked = [project["requires-python"], project["dependencies"]]
    if extra:
        asked.append(project["optional-dependencies"][extra])
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return f"# Made by ./dev lock from requirements with the digest {digest}\n"


def make(lock: Path, extra: str | None, arguments: list[str]) -> None:
    """Writes `lock`, keeping the versions that stand in it unless told to --upgrade."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder, "requirements.txt")
        if lock.exists():
            compiled.write_text(lock.read_text())
        command = [*COMPILE.split(), *arguments, "--output-file", str(compiled), str(PYPROJECT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        lock.write_text(header(extra) + compiled.read_text())


def stale() -> list[str]:
    """The names of the lock files that were not made from this pyproject.toml."""
    return [
        lock.name
        for lock, extra in ((RUN, None), (DEV, "dev"), (BUILD, "build"))
        if not lock.exists() or not lock.read_text().startswith(header(extra))
    ]


def main(verb: str, *arguments: str) -> int:
    """Runs one verb; the exit code is 1 where a lock file is out of date."""
    if verb == "make":
        if not shutil.which("uv"):
            sys.exit("making the lock files needs uv: pip install uv")
        make(RUN, None, [*arguments])
        for lock, extra in ((DEV, "dev"), (BUILD, "build")):
            make(lock, extra, ["--extra", extra, "--constraint", str(RUN), *arguments])
    out_of_date = stale()
    if out_of_date:
        sys.stderr.write(f"out of date, run ./dev lock: {', '.join(out_of_date)}\n")
    return 1 if out_of_date else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
