"""Bare Debian systems: what a package finds on a PC where nobody has prepared anything.

Each is an overlay over a root that debootstrap made once, in namespaces of its own but in this
computer's network. What is done in it is gone when it is left, unless it becomes a layer.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

from tests.tools.temporary import TemporaryFolder

KEPT = Path(__file__).parents[2] / "build/roots"
_MOUNTED = """
mount -t overlay overlay -o lowerdir="$1",upperdir="$2",workdir="$3" "$4" &&
mount -t proc proc "$4/proc" && echo mounted && exec sleep infinity
"""
_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


def missing() -> str:
    """Why no such system can be made here, or ""."""
    if os.geteuid() != 0:
        return "only root makes a bare Debian"
    absent = [name for name in ("debootstrap", "nsenter", "dpkg-deb") if not shutil.which(name)]
    return f"not installed: {', '.join(absent)}" if absent else ""


def bare(suite: str) -> Path:
    """The root of a Debian with its essential packages alone; made at the first call."""
    made, new = KEPT / suite, KEPT / f"{suite}.new"
    if not made.exists():
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        command = ["debootstrap", "--variant=minbase", suite, str(new)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2_000:] + done.stderr
        new.rename(made)
    return made


class Root:
    """Over `layers`, the lowest last. Entered, commands run in it; left, all of them are killed."""

    def __init__(self, *layers: Path) -> None:
        self._layers = layers
        self._folder = TemporaryFolder("cnc-root-")
        self.changed = self._folder.path / "changed"
        self._mount = self._folder.path / "root"
        for folder in (self.changed, self._mount, self._folder.path / "work"):
            folder.mkdir()
        self._holder: subprocess.Popen[str] | None = None
        self._pid = 0

    def __enter__(self) -> Self:
        namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        places = [":".join(map(str, self._layers)), self.changed, self._folder.path / "work"]
        tied, shell = ["setpriv", "--pdeathsig", "KILL"], ["sh", "-c", _MOUNTED, "sh"]
        self._holder = subprocess.Popen(
            [*tied, "unshare", *namespaces, *shell, *map(str, places), str(self._mount)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "mounted\n"
        holder = self._holder.pid
        self._pid = int(Path(f"/proc/{holder}/task/{holder}/children").read_text().split()[0])
        self._use_the_network_of_this_computer()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.remove()

    def stop(self) -> None:
        """Kill what runs in it; `changed` is a layer for others then."""
        if self._holder is not None:
            os.kill(self._pid, signal.SIGKILL)
            self._holder.communicate()
            self._holder = None

    def path(self, inside: str) -> Path:
        """The place of a file or folder of it, as this computer sees it."""
        return Path(f"/proc/{self._pid}/root{self._mount}") / inside.lstrip("/")

    def command(self, *command: str, user: str = "root", **environ: str) -> list[str]:
        """What runs it inside, as this user and with this environment alone."""
        variables = [f"{name}={value}" for name, value in (_ENVIRONMENT | environ).items()]
        enter = ["nsenter", "--target", str(self._pid), "--mount", "--pid", "chroot"]
        who = [] if user == "root" else ["--userspec", f"{user}:"]
        return [*enter, *who, str(self._mount), "/usr/bin/env", "-i", *variables, *command]

    def run(self, *command: str, user: str = "root", **environ: str) -> str:
        """Run it to its end. Return what it printed. Raises AssertionError where it fails."""
        done = subprocess.run(
            self.command(*command, user=user, **environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def start(
        self, *command: str, output: IO[bytes], user: str = "root", **environ: str
    ) -> "subprocess.Popen[bytes]":
        """Start it; it is killed with this system at the latest."""
        told = self.command(*command, user=user, **environ)
        return subprocess.Popen(
            told, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )

    def share(self, folder: Path, inside: str = "") -> None:
        """The folder of this computer is seen in it too, by default at the same place."""
        place = inside or str(folder)
        self.run("mkdir", "-p", place)
        enter = ["nsenter", "--target", str(self._pid), "--mount"]
        command = [*enter, "mount", "--bind", str(folder), f"{self._mount}{place}"]
        subprocess.run(command, check=True)

    def install(self, *packages: str) -> None:
        """By apt, from Debian and from package files, without recommended ones."""
        options = ["-y", "-qq", "--no-install-recommends"]
        self.run("apt-get", "-qq", "update")
        self.run("apt-get", *options, "install", *packages)

    def _use_the_network_of_this_computer(self) -> None:
        shutil.copy("/etc/resolv.conf", self.path("/etc/resolv.conf"))
        told = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
        lines = [line for line in told.stdout.splitlines() if line.startswith("Acquire::")]
        self.path("/etc/apt/apt.conf.d/01here").write_text("\n".join(lines) + "\n")


def terminate(root: Root, *numbers: int) -> None:
    """Send SIGTERM to these processes in it."""
    root.run("sh", "-c", f"kill -TERM {' '.join(map(str, numbers))}")


def processes(root: Root, program: str) -> Sequence[int]:
    """The processes in it that run this file, by their numbers inside."""
    script = f"for p in /proc/[0-9]*; do [ $p/exe -ef {program} ] && echo ${{p#/proc/}}; done; true"
    return [int(word) for word in root.run("sh", "-c", script).split()]
