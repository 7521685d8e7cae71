"""Stations that run in a bare Debian."""

import json
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.installed.roots import Root, processes, terminate
from tests.tools.servers import free_port
from tests.until import until

PROGRAM = "/usr/lib/cnc-station/cnc-station"
PATIENCE_S = 120.0
UNIT = "/usr/lib/systemd/system/cnc-station.service"


def health(port: int) -> dict[str, Any] | None:
    """What a station says of itself; None if none answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except (OSError, urllib.error.URLError, ValueError):
        return None


def settings_of(unit: str, name: str) -> list[str]:
    """The words of a unit's setting."""
    return [
        word for line in re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE) for word in line.split()
    ]


@contextmanager
def notify_socket(place: Path) -> Iterator[Callable[[], list[str]]]:
    """A service manager that listens; calling it gives what it has heard so far."""
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(place))
        place.chmod(0o666)
        manager.setblocking(False)

        def told() -> list[str]:
            try:
                while True:
                    heard.append(manager.recv(4_096).decode())
            except BlockingIOError:
                return heard

        yield told


@dataclass(frozen=True, slots=True)
class Service:
    """The station without a window, started as its unit says but by no systemd."""

    root: Root
    port: int
    heard: Callable[[], list[str]]
    process: "subprocess.Popen[bytes]"

    async def ready(self) -> None:
        """Until it has told its manager and answers. Raises AssertionError if it has ended."""

        def there() -> bool:
            assert self.process.poll() is None, "it has ended"
            return "READY=1" in self.heard() and health(self.port) is not None

        await until(there, PATIENCE_S)

    async def stop(self) -> int:
        """End it in order. Return its exit status."""
        terminate(self.root, *processes(self.root, PROGRAM))
        await until(lambda: self.process.poll() is not None, PATIENCE_S)
        return self.process.returncode


@contextmanager
def service(root: Root, log: Path, *settings: str) -> Iterator[Service]:
    """Start it with these lines in its file of settings, on a free port for its health."""
    unit, port = root.path(UNIT).read_text(), free_port()
    lines = [f"health_port = {port}", *settings]
    root.path("/etc/cnc-station/cnc-station.toml").write_text("\n".join(lines) + "\n")
    environ = dict(word.split("=", 1) for word in settings_of(unit, "Environment"))
    environ["NOTIFY_SOCKET"] = "/run/manager"
    environ |= {"HOME": "/var/lib/cnc-station", "PATH": "/usr/bin:/bin"}
    (user,) = settings_of(unit, "User")
    with notify_socket(root.path("/run/manager")) as heard, log.open("ab") as output:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
        command += settings_of(unit, "ExecStart")
        yield Service(root, port, heard, root.start(*command, output=output, **environ))
