"""`./dev trace` counts what it says."""

import threading
from pathlib import Path

from tests.tools.one_job import files, listing, report, trace
from tests.tools.recorder import PACKAGE, Recorder, function_of


def test_a_recorder_collects_functions_of_every_thread_and_none_of_an_import() -> None:
    recorder = Recorder()
    code = compile(
        "def at_import(): pass\n"
        "at_import()\n"
        "class Body:\n"
        "    at_import()\n"
        "def work(): return [sum(number for number in range(2))]\n",
        PACKAGE + "example.py",
        "exec",
    )
    module: dict[str, object] = {}

    def load_and_work() -> None:
        recorder.install()
        exec(code, module)
        work = module["work"]
        assert callable(work)
        work()

    recorder.start()
    try:
        thread = threading.Thread(target=load_and_work)
        thread.start()
        thread.join()
    finally:
        threading.setprofile(None)
    assert recorder.stop() == ["cnc_station/example.py:work"]


def test_a_lambda_is_part_of_the_function_that_holds_it() -> None:
    code = compile(
        "class Outer:\n    def inner(self):\n        return lambda: [1 for _ in ()]\n",
        str(Path(PACKAGE) / "example.py"),
        "exec",
    )
    names = set()
    waiting = [code]
    while waiting:
        of = waiting.pop()
        names.add(function_of(of))
        waiting += [constant for constant in of.co_consts if hasattr(constant, "co_qualname")]
    assert "cnc_station/example.py:Outer.inner" in names
    assert not any("<l" in name for name in names)


def test_one_job_is_traced_through_both_processes() -> None:
    found = trace(background_s=0)
    assert "cnc_station/__main__.py:main" in found.command_line
    rooms = {path.split("/")[1] for path in files(found.station)}
    assert {"engine", "ui"} <= rooms
    assert len(found.idle) < len(found.station) < len(found.job)
    assert f"{len(files(found.job))} files" in report(found)
    assert listing(found).count("\n  ") == len(found.job)
