"""One station of the shop, whichever process it is at the moment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.faults.fleet.load import ALLOWED
from tests.faults.fleet.namespace import Namespace
from tests.faults.fleet.station import Orders
from tests.faults.fleet.wire import Wire

LEASE_S = 3.0
SPEED = 50.0
SETTINGS = {
    "CNC_LEASE_S": str(LEASE_S),
    "CNC_LEADER_LEASE_S": str(LEASE_S),
    "CNC_SIMULATOR_SPEED": str(SPEED),
    "CNC_RETRY_INITIAL_S": "0.2",
    "CNC_RETRY_MAXIMUM_S": "1",
    "CNC_RETRY_MACHINING_LIMIT": "100",
    "CNC_RETRY_AUTOMATION_LIMIT": "100",
    "CNC_HEALTH_PORT": "0",
    "CNC_CLEAR_TEXT": "allow",  # a cable of the test is in between
}


@dataclass(slots=True)
class Station:
    """Its name, its ways to the servers, and the process that a supervisor keeps running."""

    name: str
    database: Wire
    redis: Wire
    clock_ahead_s: float = 0.0
    namespace: Namespace | None = None  # the computer it is on, if not on this one
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    held: bool = False  # nobody restarts it

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def log(self, folder: Path) -> Path:
        """What its processes say."""
        return folder / f"{self.name}.log"

    def spawned(
        self, orders: Orders, folder: Path, database: str, redis: str, settings: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """A new process on these servers, "" for no Redis; it ends with this one."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CNC_")}
        environment |= SETTINGS | {
            "CNC_STATION": self.name,
            "CNC_DATA_FOLDER": str(folder / self.name),
            "CNC_DATABASE_URL": self._way(self.database, database),
            "CNC_SYNCHRONOUS": "NORMAL",
            "CNC_SHELL_COMMANDS": str(folder / ALLOWED),
            **settings,
        }
        if redis:
            environment["CNC_REDIS_URL"] = self._way(self.redis, redis)
        command = ["setpriv", "--pdeathsig", "KILL"]
        command += [*(self.namespace.inside if self.namespace else ()), sys.executable]
        command += ["-m", "tests.faults.fleet.station", orders.dumped()]
        with self.log(folder).open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def _way(self, wire: Wire, url: str) -> str:
        """How it reaches a server: over a cable, or over what stands for one."""
        place = {"host": self.namespace.address} if self.namespace else {"port": wire.port}
        return make_url(url).set(**place).render_as_string(hide_password=False)
