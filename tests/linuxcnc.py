"""A real LinuxCNC controller with simulated axes, for whoever drives one in a test.

    with LinuxCnc() as mill:         # starts; FileNotFoundError, PermissionError where it can't
        mill.panel.make_ready()      # the operator: emergency stop out, on, homed, automatic mode
        mill.port, mill.programs     # what the station needs: the port, and a folder both can see

`stop`, `kill` and `start` play the power switch. Each controller lives in namespaces of its own:
two in one would tear each other's shared memory down.
"""

import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.tools.servers import STOP_SECONDS, Server, ServerFailed, as_user, free_port, program_path

SAMPLES = Path("/usr/share/doc/linuxcnc/examples/sample-configs/sim")
NML = Path("/usr/share/linuxcnc/linuxcnc.nml")
PASSWORDS = ("EMC", "EMCTOO")
JOINTS = 3
ANSWER_SECONDS = 30.0
STARTING_SECONDS = 5.0  # for an answer while it starts: one asked too early may never come
ENDING_SECONDS = 5.0
ATTEMPTS = 3
NAMESPACES = ("--ipc", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
# The folder stays where it is while the controller's lock files and the like get a /tmp of their
# own. The shell stays too, as the namespace's first process: its end is everybody's end.
ALONE = """
mount --bind "$1" /mnt && mount -t tmpfs -o mode=1777 tmpfs /tmp &&
mkdir -p "$1" && mount --bind /mnt "$1" && cd "$1" || exit
shift
"$@"
exit $?
"""


class LinuxCnc(Server):
    """The controller of a three-axis mill: 254 mm each way in X and Y, Z from -50.8 to 101.6 mm,
    30.48 mm/s. Made, it has its folder; entered, it answers; left, all is gone.

    Making one raises FileNotFoundError where LinuxCNC is not installed and PermissionError where
    this user may not make namespaces.
    """

    def __init__(self, name: str = "MILL1") -> None:
        program_path("linuxcnc")
        self._user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
        _check_namespaces(self._user)
        super().__init__()
        self.name = name
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        self._hand_over(self.programs)

    @property
    def panel(self) -> "Panel":
        """An operator at the panel: a new session, which takes control from any other."""
        return Panel(self.port)

    @property
    def watcher(self) -> "Panel":
        """Somebody who only looks: a session that leaves control where it is."""
        return Panel(self.port, enable=False)

    def ready_panel(self) -> "Panel":
        """The operator panel of a mill that is ready to run programs. A controller that has hung
        up, or no longer answers, is started again: otherwise every test after that fails too."""
        try:
            return self._made_ready()
        except (OSError, ServerFailed):
            self.kill()
            self.start()
            return self._made_ready()

    def _made_ready(self) -> "Panel":
        panel = self.panel
        try:
            panel.make_ready()
        except BaseException:
            panel.close()
            raise
        return panel

    def stop(self) -> None:
        """Shuts it down as the operator does."""
        if self._process is not None and self._process.poll() is None:
            try:
                with self.panel as panel:
                    panel.shut_down()
                self._process.wait(ENDING_SECONDS)
            except (OSError, subprocess.TimeoutExpired):
                pass  # it hangs: killed below
        self.kill()

    def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            # The namespace's first process takes all the others along, and only then is it gone.
            for first in (
                Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            ):
                os.kill(int(first), signal.SIGKILL)
                process.wait(STOP_SECONDS)
        super()._end(how)

    def _start_once(self) -> None:
        self._configure()
        super()._start_once()

    def _configure(self) -> None:
        """The package's own millimetre example, without its windows; homed where it stands."""
        ini = (SAMPLES / "axis" / "axis_mm.ini").read_text()
        ini = re.sub(r"(?m)^(HALFILE = axis_manualtoolchange|HALUI|INTRO).*\n", "", ini)
        display = f"DISPLAY = linuxcncrsh --port {self.port} --name {self.name}"
        ini = re.sub(r"(?m)^DISPLAY = axis$", display, ini)
        ini = re.sub(r"(?m)^(HOME_SEARCH_VEL|HOME_LATCH_VEL|HOME_OFFSET) = .*$", r"\1 = 0", ini)
        ini = ini.replace("[EMC]\n", "[EMC]\nNML_FILE = own.nml\n", 1)
        (self.folder / "mill.ini").write_text(ini)
        nml = NML.read_text().replace("TCP=5005", f"TCP={free_port()}")
        (self.folder / "own.nml").write_text(nml)
        shutil.copy(SAMPLES / "sim_mm.tbl", self.folder)
        # A killed one's: the next would try for seconds to speak to it.
        (self.folder / ".rtapi_fifo").unlink(missing_ok=True)

    def _launcher(self) -> list[str]:
        # setpriv ends it with this process; it needs the rights to mount, and gives them up inside.
        alone = ["unshare", *self._user, *NAMESPACES, "sh", "-c", ALONE, "alone", str(self.folder)]
        return ["setpriv", "--pdeathsig", "KILL", *alone, *as_user()]

    def _command(self) -> list[str]:
        environment = ["env", "-u", "DISPLAY", f"HOME={self.folder}"]
        return [*environment, "linuxcnc", "-r", str(self.folder / "mill.ini")]

    def _answers(self) -> bool:
        try:
            with Panel(self.port, enable=False, patience=STARTING_SECONDS) as panel:
                return panel.get("mode") in {"MANUAL", "AUTO", "MDI"}
        except (OSError, ServerFailed):  # not yet, or not yet in its senses
            return False


class Panel:
    """The operator at the machine: a session that asks, switches and homes, and waits until the
    controller has done it. Blocks; raises OSError when the controller is gone."""

    def __init__(self, port: int, *, enable: bool = True, patience: float = ANSWER_SECONDS) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")
        self.say(f"hello {PASSWORDS[0]} panel 1.0", "HELLO ACK")
        self.say("set echo off", "set echo off")  # the last thing it echoes
        self.say("set verbose on", "SET VERBOSE ACK")
        if enable:
            self.take_control()

    def take_control(self) -> None:
        """From whichever session has it."""
        self.set(f"enable {PASSWORDS[1]}")

    def say(self, words: str, expected: str) -> str:
        """One request and the rest of its one answer; raises ServerFailed on another. Two sessions
        that talk at the same moment confuse the controller, so it is asked more than once."""
        for _ in range(ATTEMPTS):
            self._socket.sendall(words.encode() + b"\r\n")
            answer = self._answer()
            if answer.upper().startswith(expected.upper()):
                return answer[len(expected) :].strip()
        raise ServerFailed(f"{words!r} was answered by {answer!r}")

    def _answer(self) -> str:
        while True:
            line = self._lines.readline()
            if not line:
                raise ConnectionResetError("the controller has hung up")
            if line.strip():
                return line.decode("latin-1").strip()

    def get(self, what: str) -> str:
        """What the controller says of something: `get("mode")` is "AUTO"."""
        return self.say(f"get {what}", what.split(maxsplit=1)[0])

    def set(self, what: str) -> None:
        """Tells the controller to do something, taking control for it. It has then heard it, not
        done it."""
        if not what.startswith("enable") and self.get("enable") == "OFF":
            self.take_control()
        self.say(f"set {what}", f"SET {what.split(maxsplit=1)[0]} ACK")

    def make(self, what: str, value: str) -> None:
        """Sets something and waits until it is so."""
        self.set(f"{what} {value}")
        self.wait(what, value.upper())

    def wait(self, what: str, value: str, seconds: float = 60.0) -> None:
        """Until `get(what)` starts with `value`; raises ServerFailed when it never does."""
        end = time.monotonic() + seconds
        while not (now := self.get(what)).startswith(value):
            if time.monotonic() > end:
                raise ServerFailed(f"{what} is {now}, not {value}: {self.get('error')}")
            time.sleep(0.01)

    def make_ready(self) -> None:
        """Whatever it was doing: switched on, homed, without a tool length or a G92 offset, in
        automatic mode, nothing left to say."""
        self.switch_on()
        self.home()
        if not {"G49", "G92.2"} <= set(self.get("program_codes").split()):
            self.command("G49 G92.1")
        self.make("mode", "auto")
        self.drain()

    def switch_on(self) -> None:
        """Out of the emergency stop, on, nothing running."""
        self.make("estop", "off")
        self.make("machine", "on")
        self.set("abort")  # refused while it is off
        self.wait("program_status", "IDLE")

    def home(self) -> None:
        """Every axis, unless they are."""
        homed = " ".join(["YES"] * JOINTS)
        if not self.get("joint_homed").startswith(homed):
            self.make("mode", "manual")
            self.set("home -1")
            self.wait("joint_homed", homed)

    def command(self, words: str) -> None:
        """A line in MDI, in whose mode it stays. Sends a message behind it, and waits for that:
        nothing else tells that a line which moves nothing is over."""
        self.make("mode", "mdi")
        self.drain()
        self.set(f"mdi {words}")
        self.set("mdi (MSG, it is over)")
        self.wait("operator_display", "it is over")
        self.wait("program_status", "IDLE")

    def drain(self) -> None:
        """Nothing is left to say."""
        for what in ("error", "operator_display", "operator_text"):
            while self.get(what) != "OK":
                pass

    def shut_down(self) -> None:
        """The whole controller."""
        self._socket.sendall(b"shutdown\r\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()


def _check_namespaces(user: list[str]) -> None:
    tried = subprocess.run(
        ["unshare", *user, *NAMESPACES, "true"], capture_output=True, timeout=10, check=False
    )
    if tried.returncode:
        said = tried.stderr.decode().strip()
        raise PermissionError(errno.EPERM, f"may not give LinuxCNC namespaces of its own: {said}")
