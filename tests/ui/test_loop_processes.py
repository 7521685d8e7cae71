"""The loop in processes of its own: what ends them, and what signals do."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def python(program: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own, which does not outlive the block."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_twenty_thousand_events_pass_without_an_abort() -> None:
    storm = subprocess.run(
        [sys.executable, "-m", "tests.ui.event_storm"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (storm.returncode, storm.stdout.strip()) == (0, "20000"), storm.stderr


def test_a_process_that_never_closed_its_loop_ends_without_an_abort() -> None:
    program = """
        import asyncio
        from cnc_station.loop import application_loop, run
        loop = application_loop()
        loop.run_until_complete(loop.run_in_executor(None, print, "done"))
    """
    with python(program) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "done\n")
    assert "QThread" not in err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_control_c_wakes_an_idle_loop_and_lets_main_clean_up() -> None:
    program = """
        import asyncio
        from cnc_station.loop import run

        async def main():
            print("ready", flush=True)
            try:
                await asyncio.sleep(3600)
            finally:
                print("cleaned up")

        try:
            run(main())
        except KeyboardInterrupt:
            print("interrupted")
    """
    with python(program) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("cleaned up\ninterrupted\n", "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_a_second_control_c_ends_a_clean_up_that_hangs() -> None:
    program = """
        import asyncio
        from cnc_station.loop import run

        async def main():
            try:
                print("ready", flush=True)
                await asyncio.sleep(3600)
            finally:
                print("cleaning up", flush=True)
                await asyncio.sleep(3600)

        try:
            run(main())
        except KeyboardInterrupt:
            print("interrupted")
    """
    with python(program) as process:
        assert process.stdout is not None
        for line in ("ready\n", "cleaning up\n"):
            assert process.stdout.readline() == line
            process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=60)
    assert said == "interrupted\n"
    assert "Traceback" not in complained


@pytest.mark.skipif(os.name == "nt", reason="Windows has no alarm")
def test_what_an_alarm_raises_while_the_loop_is_idle_ends_the_run() -> None:
    """As that of a test whose time is over: it would else stand still with all that come after."""
    program = """
        import asyncio, signal
        from cnc_station.loop import run

        class TimeIsOver(BaseException):
            pass

        def ring(*_):
            raise TimeIsOver

        async def main():
            signal.signal(signal.SIGALRM, ring)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            await asyncio.sleep(3600)

        try:
            run(main())
        except TimeIsOver:
            print("over")
    """
    with python(program) as process:
        said, complained = process.communicate(timeout=60)
    assert said == "over\n"
    assert "Traceback" not in complained


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_control_c_wakes_the_loop_at_whichever_instruction_it_comes() -> None:
    tried = subprocess.run(
        [sys.executable, "-m", "tests.ui.interruptions"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert tried.returncode == 0, tried.stderr
    assert [int(count) > 50 for count in tried.stdout.split()] == [True, True]
