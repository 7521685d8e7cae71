"""A computer of its own on this one: a network namespace, and the cable between the two."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

HOLDER = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", "echo here; exec cat"]


class NotAllowed(Exception):
    """This computer makes no network namespaces for us; the text says why."""


class Namespace:
    """What runs `inside` has a loopback of its own, and reaches this computer at `address` alone.

    It lasts as long as a child process of ours, so nothing is left behind, whoever is killed.
    Entering raises NotAllowed.
    """

    def __init__(self) -> None:
        chance = random.SystemRandom()
        self._here = f"cnc{chance.randrange(16**6):06x}"
        # link-local, and of four addresses each, so that no two of these meet
        self._net = f"169.254.{chance.randrange(1, 160)}"
        self._first = 4 * chance.randrange(60)
        self.address = f"{self._net}.{self._first + 1}"

    def __enter__(self) -> Self:
        for program in ("ip", "nsenter", "setpriv", "unshare"):
            if shutil.which(program) is None:
                raise NotAllowed(f"{program} is not installed")
        self._holder = subprocess.Popen(
            HOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            self._made()
            self._connect()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def inside(self) -> list[str]:
        """What to put before a command that runs in there; the process stays the same one."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """The cable is out: both ends see that, and no packet passes."""
        _ip("link", "set", self._here, "down")
        try:
            yield
        finally:
            _ip("link", "set", self._here, "up")

    def _made(self) -> None:
        assert self._holder.stdout is not None
        assert self._holder.stderr is not None
        if self._holder.stdout.readline() != "here\n":
            raise NotAllowed(self._holder.stderr.read().strip())

    def _connect(self) -> None:
        there = str(self._holder.pid)
        _ip("link", "add", self._here, "type", "veth", "peer", "name", "cable", "netns", there)
        _ip("address", "add", f"{self.address}/30", "dev", self._here)
        _ip("link", "set", self._here, "up")
        address = f"{self._net}.{self._first + 2}/30"
        _ip("address", "add", address, "dev", "cable", inside=self.inside)
        for link in ("lo", "cable"):
            _ip("link", "set", link, "up", inside=self.inside)

    def _end(self) -> None:
        self._holder.kill()
        self._holder.communicate()
        # The kernel clears a namespace away some time after its last process.
        subprocess.run(["ip", "link", "delete", self._here], capture_output=True, check=False)


def _ip(*words: str, inside: list[str] | None = None) -> None:
    done = subprocess.run(
        [*(inside or ()), "ip", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotAllowed(f"ip {' '.join(words)}: {done.stderr.strip()}")
