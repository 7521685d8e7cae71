"""Answers of linuxcncrsh that the installed version does not give.

The server here answers as the source text of newer versions does, or as the installed one when two
sessions send at the same moment (observed: `GET 2 NAK` for `get program`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.linuxcnc import LinuxCnc, client
from cnc_station.engine.views import Doing
from tests.until import until

IDLE = {
    "echo": "ECHO OFF",
    "comm_prot": "COMM_PROT 1.0",
    "wait_mode": "WAIT_MODE RECEIVED",
    "set_wait": "SET_WAIT RECEIVED",
    "user_linear_units": "USER_LINEAR_UNITS INCH",
    "inifile": "INIFILE emc.ini",
    "program_status": "PROGRAM_STATUS IDLE",
    "mode": "MODE AUTO",
    "estop": "ESTOP OFF",
    "machine": "MACHINE ON",
    "enable": "ENABLE OFF",
    "error": "ERROR OK",
    "operator_display": "OPERATOR_DISPLAY OK",
    "operator_text": "OPERATOR_TEXT OK",
    "plat": "PLAT Linux",
    "program": "PROGRAM NONE",
    "program_line": "PROGRAM_LINE 0",
    "program_codes": "PROGRAM_CODES G1 G17 G20 G90 G54 G49 F10 S500",
    "rel_act_pos 0": "REL_ACT_POS X 1.000000",
    "rel_act_pos 1": "REL_ACT_POS Y 2.000000",
    "rel_act_pos 2": "REL_ACT_POS Z -1.000000",
    "pos_offset": "POS_OFFSET 0.000000 0.000000 0.000000 0.000000 0.000000 0.000000",
    "flood": "FLOOD OFF",
    "mist": "MIST OFF",
    "spindle 0": "SPINDLE 0 OFF",
    "spindle_override 0": "SPINDLE_OVERRIDE 0 50",
    "feed_override": "FEED_OVERRIDE 120",
    "tool": "TOOL 3",
    "joint_homed 0": "JOINT_HOMED 0 YES",
    "joint_homed 1": "JOINT_HOMED 1 YES",
    "joint_homed 2": "JOINT_HOMED 2 YES",
}


class Rsh:
    """`said` is what it answers, `once` what it answers first; with `silent` it does not answer."""

    def __init__(self) -> None:
        self.said = dict(IDLE)
        self.once: dict[str, str] = {}
        self.heard: list[str] = []
        self.silent = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        echo = True
        while line := await reader.readline():
            words = line.decode().strip()
            if self.silent:
                continue
            if echo:
                writer.write(f"{words}\r\n".encode())
            echo = echo and words != "set echo off"
            writer.write(self.answer(words).encode())
        writer.close()

    def answer(self, words: str) -> str:
        verb, what = words.split(maxsplit=1)
        self.heard.append(what)
        if verb == "hello":
            return f"{self.once.pop(verb, 'HELLO ACK MILL9 1.1')}\r\n"
        word = what.split()[0]
        if verb == "set":
            done = self.once.pop(word, f"SET {word.upper()} ACK")
            return f"{done}\n\r" if what != "echo off" else ""
        return f"{self.once.pop(what, None) or self.said[what]}\r\n"


@asynccontextmanager
async def serving(rsh: Rsh, folder: Path, **settings: object) -> AsyncIterator[LinuxCnc]:
    server = await asyncio.start_server(rsh.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    driver = LinuxCnc.make({"port": port, "program_folder": str(folder), **settings})
    try:
        yield driver
    finally:
        await driver.close()
        server.close()
        await server.wait_closed()


async def test_a_newer_version_in_inches_is_understood(tmp_path: Path) -> None:
    async with serving(Rsh(), tmp_path) as driver:
        details = dict((await driver.connect()).details)
        assert (details["Name"], details["Commands"]) == ("MILL9", "wait_mode received")
        status = driver.status()
        assert (status.doing, status.tool) == (Doing.READY, 3)
        assert (status.x, status.y, status.z) == pytest.approx((25.4, 50.8, -25.4))
        assert (status.spindle_rpm, status.feed_override) == pytest.approx((0.0, 1.2))


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("spindle 0", "SPINDLE 0 FORWARD", "the spindle turns (500 rpm)"),
        ("spindle 0", "SPINDLE 0 REVERSE", "the spindle turns (500 rpm)"),
        ("flood", "FLOOD ON", "the coolant is on"),
        ("mist", "MIST ON", "the coolant is on"),
    ],
)
async def test_an_idle_machine_whose_spindle_turns_or_coolant_flows_is_not_ready(
    question: str, answer: str, why: str, tmp_path: Path
) -> None:
    rsh = Rsh()
    rsh.said[question] = answer
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        status = driver.status()
        assert (status.doing, status.why) == (Doing.NOT_READY, why)
        assert status.remedy
        assert status.spindle_rpm == (250.0 if "SPINDLE" in answer else 0.0)
        rsh.said[question] = IDLE[question]
        await until(lambda: driver.status().doing is Doing.READY)


async def test_a_turning_spindle_of_a_running_program_is_accepted(tmp_path: Path) -> None:
    rsh = Rsh()
    rsh.said["program_status"] = "PROGRAM_STATUS RUNNING"
    rsh.said["spindle 0"] = "SPINDLE 0 FORWARD"
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        assert driver.status().doing is Doing.RUNNING
        assert driver.status().spindle_rpm == 250.0


async def test_a_version_that_would_crash_is_never_asked_for_its_spindle(
    tmp_path: Path,
) -> None:
    rsh = Rsh()
    rsh.said["wait_mode"] = "GET WAIT_MODE NAK"
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        assert "tool" in rsh.heard
        assert not [what for what in rsh.heard if what.startswith("spindle")]
        assert driver.status().spindle_rpm is None


async def test_with_an_active_tool_length_z_is_unknown(tmp_path: Path) -> None:
    rsh = Rsh()
    rsh.said["program_codes"] = "PROGRAM_CODES G1 G21 G90 G54 G43 F10 S0"
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        assert (driver.status().x, driver.status().z) == (25.4, None)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("rel_act_pos 1", "REL_ACT_POS 9.0 9.0 9.0 0.0 0.0 0.0"),
        ("rel_act_pos 1", "REL_ACT_POS X 9.0"),
        ("program_status", "GET 2 NAK"),
        ("machine", "GET  NAK"),
        ("program", "MODE AUTO"),
        ("program_codes", "TOOL 3"),
        ("joint_homed 1", "REL_ACT_POS 1 2.0"),
        ("joint_homed 2", "PROGRAM_STATUS RUNNING"),
        ("plat", "GET 1 NAK"),
        ("mode", "JOINT_HOMED 2 YES\r\nMODE AUTO"),
        ("program_status", "GET 0 NAK\r\nPROGRAM_STATUS IDLE"),
    ],
)
async def test_an_answer_to_another_sessions_question_is_asked_again(
    question: str, answer: str, tmp_path: Path
) -> None:
    rsh = Rsh()
    rsh.once[question] = answer
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        assert not rsh.once
        assert driver.status().doing is Doing.READY
        assert driver.status().y == pytest.approx(50.8)


async def test_an_error_of_several_lines_is_one_error(tmp_path: Path) -> None:
    rsh = Rsh()
    rsh.said["machine"] = "MACHINE OFF"
    rsh.once["error"] = "ERROR joint 0 following error\n\rthe drive says 27"
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        assert driver.status().why == "joint 0 following error the drive says 27"
        assert driver.status().doing is Doing.NOT_READY


async def test_a_message_of_several_lines_is_one_message(tmp_path: Path) -> None:
    rsh = Rsh()
    rsh.once["operator_display"] = "OPERATOR_DISPLAY turn the part\n\rand close the door"
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        status = driver.status()
        assert (status.doing, status.why) == (Doing.READY, "turn the part and close the door")


async def test_a_version_without_messages_is_understood(tmp_path: Path) -> None:
    rsh = Rsh()
    rsh.said["operator_display"] = "GET OPERATOR_DISPLAY NAK"
    rsh.said["operator_text"] = "GET OPERATOR_TEXT NAK"
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        assert driver.status().doing is Doing.READY
        await driver.link.discard_messages()


async def test_an_answer_to_another_sessions_question_is_not_taken_for_an_error(
    tmp_path: Path,
) -> None:
    rsh = Rsh()
    rsh.said["machine"] = "MACHINE OFF"
    rsh.once["error"] = "ERROR OK\r\nMODE AUTO"
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        assert driver.status().why == "the machine is off"


async def test_a_controller_that_falls_silent_is_unreachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rsh = Rsh()
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        rsh.silent = True
        with monkeypatch.context() as patch:
            patch.setattr(client, "PATIENCE_S", 0.2)
            await until(lambda: driver.status().doing is Doing.UNREACHABLE, 30.0)
        assert "did not answer within" in driver.status().why
        rsh.silent = False
        await driver.connect()
        assert driver.status().doing is Doing.READY


async def test_a_machine_with_unknown_units_is_refused(tmp_path: Path) -> None:
    rsh = Rsh()
    rsh.said["user_linear_units"] = "USER_LINEAR_UNITS CUSTOM"
    async with serving(rsh, tmp_path) as driver:
        with pytest.raises(Unavailable, match="measures in custom"):
            await driver.connect()
        assert driver.status().doing is Doing.UNREACHABLE


async def test_the_wires_record_has_no_password_though_the_controller_repeats_it(
    tmp_path: Path,
) -> None:
    words = {"connect_password": "horse", "enable_password": "staple"}
    async with serving(Rsh(), tmp_path, **words) as driver:
        await driver.connect()
        await driver.link.take_control()
        said = [message.text for message in driver.traffic()]
    assert "hello *** cnc-station 1.0" in said
    assert "set enable ***" in said
    assert not [text for text in said if "horse" in text or "staple" in text]


async def test_something_else_at_the_address_is_refused(tmp_path: Path) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    driver = LinuxCnc.make({"port": port, "program_folder": str(tmp_path)})
    with pytest.raises(Unavailable, match="closed the connection"):
        await driver.connect()
    await driver.close()
    server.close()


async def test_a_hello_disturbed_by_another_session_is_repeated(
    tmp_path: Path,
) -> None:
    rsh = Rsh()
    rsh.once = {
        "user_linear_units": "GET 2 NAK",
        "hello": "HELLO NAK",
        "echo": "GET 2 NAK",
        "verbose": "SET 0 NAK",
    }
    async with serving(rsh, tmp_path) as driver:
        await driver.connect()
        assert not rsh.once
        assert driver.status().doing is Doing.READY
