"""Commands on a database file, as processes of their own."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest


def cli(
    path: Path, *command: str, before: Sequence[str] = (), most_bytes: int | None = None
) -> "subprocess.CompletedProcess[str]":
    def limit() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))

    return subprocess.run(
        [*before, sys.executable, "-m", "cnc_station", *command],
        capture_output=True,
        text=True,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "CNC_DATABASE": str(path),
            "CNC_DATA_FOLDER": str(path.parent),
            "QT_QPA_PLATFORM": "offscreen",
        },
        preexec_fn=limit,
        timeout=60,
        check=False,
    )


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 3, done
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


def without_roots_rights() -> list[str]:
    """A prefix under which file permissions hold for root as well."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root may write everywhere, and there is no setpriv to give that up")
    rights = "-dac_override,-dac_read_search"
    return [setpriv, "--bounding-set", rights, "--inh-caps", rights]
