"""A person changes between the shop and the demo day: one window follows the other."""

import signal
import subprocess
import sys
from pathlib import Path

SEEN = """\
the same place: True
a second start: [True, True]
the first is gone: True
no demo: True
"""


def test_each_window_takes_the_place_of_the_one_before_and_what_was_meant_for_it(
    tmp_path: Path,
) -> None:
    walked = subprocess.run(
        [sys.executable, "-m", "tests.e2e.changing_window", str(tmp_path), str(int(signal.SIGINT))],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (walked.returncode, walked.stdout) == (0, SEEN), walked.stderr
    assert not list(tmp_path.glob("*.holder")), "it ended in order"
    assert [path.name for path in tmp_path.glob("demo.db*")] == ["demo.db.lock"], "no trace of it"
