"""How the peers of a station speak, properly and oddly."""

import struct
from collections.abc import Mapping
from functools import cache

from cnc_station.engine.drivers.linuxcnc.snapshot import asked
from tests.peers.misbehaviours import HUGE, MARKUP, NASTY, Answer, Protocol

# --- MTConnect ---

_HEADER = '<Header instanceId="1" nextSequence="9" version="1.3"/>'
_ITEMS = {
    "e": "EXECUTION",
    "p": "PROGRAM",
    "c": "PART_COUNT",
    "l": "LINE_NUMBER",
    "f": "PATH_FEEDRATE",
    "m": "CONTROLLER_MODE",
}
_VALUES = {"e": "ACTIVE", "p": "plate.nc", "c": "3", "l": "12", "f": "20", "m": "AUTOMATIC"}


def _probe(inside: str = "", name: str = "mill") -> str:
    items = "".join(f'<DataItem id="{key}" type="{kind}"/>' for key, kind in _ITEMS.items())
    return (
        f'<MTConnectDevices>{_HEADER}<Devices><Device id="d" name="{name}"><Components>'
        f'<Controller id="k"><DataItems>{items}{inside}</DataItems></Controller></Components>'
        "</Device></Devices></MTConnectDevices>"
    )


def _current(inside: str = "", **changed: str) -> str:
    seen = "".join(
        f'<Value dataItemId="{key}" sequence="{at}">{value}</Value>'
        for at, (key, value) in enumerate((_VALUES | changed).items(), 1)
    )
    return f"<MTConnectStreams>{_HEADER}<Streams>{seen}{inside}</Streams></MTConnectStreams>"


def _http(body: str, status: str = "200 OK", kind: str = "text/xml") -> bytes:
    data = body.encode(errors="surrogatepass")
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


def _agent(probe: str, current: str) -> Answer:
    made = cache(_http)  # once: it takes as long as the client may

    def answer(request: bytes) -> bytes:
        return made(probe if b"/probe" in request else current)

    return answer


_FAULT = '<Fault dataItemId="x" sequence="{at}" nativeCode="{at}">bad {at}</Fault>'
MTCONNECT = Protocol(
    _agent(_probe(), _current()),
    {
        "flood": _agent(_probe("<a/>" * 8_000_000), _current()),
        "deep": _agent(_probe("<a>" * 60_000 + "</a>" * 60_000), _current()),
        "wide": _agent(
            _probe(),
            _current("".join(_FAULT.format(at=at) for at in range(20_000))),
        ),
        "wrong type": _agent(_probe(), _current(c="many", l="first", f="fast", e="42")),
        "huge number": _agent(_probe(), _current(c=HUGE, l=HUGE, f="1e308")),
        "negative number": _agent(_probe(), _current(c="-5", l=f"-{HUGE}", f="-1e308")),
        "nan": _agent(_probe(), _current(c="nan", l="inf", f="-inf")),
        "control characters": _agent(
            _probe(), _current(p="a&#x85;&#x202e;b&#x2066;", e="AC&#x202e;TIVE")
        ),
        "markup": _agent(_probe(name=MARKUP), _current(p=MARKUP, e=MARKUP)),
    },
)

# --- GRBL ---

_OPTIONS = "[VER:1.1h.20190825:]\r\n[OPT:V,15,128]\r\nok\r\n"
_REPORT = "<Idle|MPos:{x},0.000,0.000|FS:{f},0|WCO:0.000,0.000,0.000|Ln:{line}>"


def _grbl(report: str, options: str = _OPTIONS, more: str = "") -> Answer:
    def answer(request: bytes) -> bytes:
        told = "" if request else "\r\nGrbl 1.1h ['$' for help]\r\n"
        told += f"{report}\r\n" * request.count(b"?")
        for line in request.replace(b"?", b"").split(b"\n"):
            if line.startswith(b"$I"):
                told += options
            elif line.startswith(b"$#"):
                told += "[G54:0.000,0.000,0.000]\r\nok\r\n"
            elif line.startswith(b"$G"):
                told += "[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]\r\nok\r\n"
            elif line.startswith(b"$"):
                told += "$13=0\r\n$22=0\r\nok\r\n"
            elif line:
                told += "ok\r\n"
        return (told + more).encode()

    return answer


_GRBL_REPORT = _REPORT.format(x="1.000", f="0", line="1")
GRBL = Protocol(
    _grbl(_GRBL_REPORT),
    {
        "deep": _grbl("<" * 60_000 + ">" * 60_000),
        "wide": _grbl(_GRBL_REPORT, "[MSG:more]\r\n" * 20_000 + _OPTIONS),
        "wrong type": _grbl("<Idle|MPos:left,right,up|FS:fast|Ln:first>"),
        "huge number": _grbl(
            _REPORT.format(x=HUGE, f="1e308", line=HUGE), f"[OPT:V,{HUGE},{HUGE}]\r\nok\r\n"
        ),
        "negative number": _grbl(
            _REPORT.format(x=f"-{HUGE}", f="-1e308", line="-7"), "[OPT:V,-15,-128]\r\nok\r\n"
        ),
        "nan": _grbl(_REPORT.format(x="nan", f="inf", line="nan")),
        "control characters": _grbl(
            _GRBL_REPORT, f"[VER:1.1h:{NASTY}]\r\n{_OPTIONS}", f"[MSG:{NASTY}]\r\n"
        ),
        "markup": _grbl(_GRBL_REPORT, more=f"[MSG:{MARKUP}]\r\n"),
    },
    greets=True,
)

# --- linuxcncrsh ---

_MILL = {
    "echo": "ECHO OFF",
    "comm_prot": "COMM_PROT 1.1",
    "wait_mode": "GET WAIT_MODE NAK",
    "set_wait": "SET_WAIT RECEIVED",
    "user_linear_units": "USER_LINEAR_UNITS MM",
    "inifile": "INIFILE /mill.ini",
    "program_status": "PROGRAM_STATUS IDLE",
    "mode": "MODE MANUAL",
    "estop": "ESTOP OFF",
    "machine": "MACHINE ON",
    "enable": "ENABLE OFF",
    "error": "ERROR OK",
    "operator_display": "OPERATOR_DISPLAY OK",
    "operator_text": "OPERATOR_TEXT OK",
    "plat": "PLAT Linux",
    "program": "PROGRAM NONE",
    "program_line": "PROGRAM_LINE 0",
    "program_codes": "PROGRAM_CODES G80 G17 G40 G21 G90 G94 G54 G49 G99 M5 M9 M48 M53 M0 F0.0 S0.0",
    "pos_offset": "POS_OFFSET 0.0 0.0 0.0",
    "feed_override": "FEED_OVERRIDE 100",
    "tool": "TOOL 0",
    "flood": "FLOOD OFF",
    "mist": "MIST OFF",
}


def _rsh(**changed: str) -> Answer:
    said = _MILL | changed

    def answer(request: bytes) -> bytes:
        lines = []
        for line in request.decode(errors="replace").splitlines():
            match line.split():
                case ["hello", *_]:
                    lines.append("HELLO ACK EMCNETSVR 1.1")
                case ["set", "echo", *_]:
                    pass
                case ["set", word, *_]:
                    lines.append(f"SET {word.upper()} ACK")
                case ["get", "rel_act_pos", axis]:
                    lines.append(said.get("place", f"REL_ACT_POS {axis} 1.0").format(axis=axis))
                case ["get", "joint_homed", joint]:
                    lines.append(f"JOINT_HOMED {joint} YES")
                case ["get", word, *_]:
                    lines.append(said.get(word, f"GET {word} NAK"))
        return "".join(f"{line}\r\n" for line in lines).encode(errors="surrogatepass")

    return answer


def snapshot_answers() -> list[bytes]:
    """Return the answers to the questions of a snapshot, in their order."""
    place = {f"rel_act_pos {axis}": f"{axis} 1.0" for axis in range(3)}
    joints = {f"joint_homed {joint}": f"{joint} YES" for joint in range(3)}
    said = {name: line.partition(" ")[2] for name, line in _MILL.items()} | place | joints
    return [said.get(question, "NAK").encode() for question in asked(3, spindle=True)]


LINUXCNC = Protocol(
    _rsh(),
    {
        "deep": _rsh(program="PROGRAM " + "(" * 60_000),
        "wide": _rsh(error="ERROR bad\r\n" + "more\r\n" * 100_000),
        "wrong type": _rsh(program_line="PROGRAM_LINE first", tool="TOOL hammer"),
        "huge number": _rsh(program_line=f"PROGRAM_LINE {HUGE}", place="REL_ACT_POS {axis} 1e300"),
        "negative number": _rsh(program_line=f"PROGRAM_LINE -{HUGE}", tool="TOOL -3"),
        "nan": _rsh(place="REL_ACT_POS {axis} nan", feed_override="FEED_OVERRIDE inf"),
        "control characters": _rsh(
            inifile=f"INIFILE {NASTY}", operator_text=f"OPERATOR_TEXT {NASTY}"
        ),
        "markup": _rsh(inifile=f"INIFILE {MARKUP}", operator_text=f"OPERATOR_TEXT {MARKUP}"),
    },
)

# --- OPC UA: an acknowledgement, then what no decoder expects ---

_ACK = b"ACKF" + struct.pack("<I5I", 28, 0, 65_535, 65_535, 0, 0)


def _opcua(kind: bytes, body: bytes, size: int | None = None) -> Answer:
    def answer(request: bytes) -> bytes:
        if request.startswith(b"HEL"):
            return _ACK
        return kind + struct.pack("<I", len(body) + 8 if size is None else size) + body

    return answer


_OPEN = (
    struct.pack("<I", 1)
    + struct.pack("<i", 47)
    + b"http://opcfoundation.org/UA/SecurityPolicy#None"
)
_OPEN += struct.pack("<ii", -1, -1) + struct.pack("<II", 1, 1)
OPCUA = Protocol(
    _opcua(b"ERRF", struct.pack("<Ii", 0x80010000, -1)),
    {
        "deep": _opcua(b"OPNF", _OPEN + b"\x01\x00\xbf\x01" + b"\x01" * 50_000),
        "wide": _opcua(b"MSGC", struct.pack("<IIII", 1, 1, 1, 1) + bytes(60_000)),
        "wrong type": _opcua(b"OPNF", b"\xff" * 100),
        "huge number": _opcua(b"MSGF", bytes(1_000), 0xFFFF_FFFF),
        "negative number": _opcua(b"OPNF", _OPEN + struct.pack("<i", -2_000_000_000) * 50),
        "nan": _opcua(b"OPNF", _OPEN + struct.pack("<d", float("nan")) * 50),
        "control characters": _opcua(
            b"ERRF", struct.pack("<Ii", 0x80010000, len(NASTY.encode())) + NASTY.encode()
        ),
        "markup": _opcua(b"ERRF", struct.pack("<Ii", 0x80010000, len(MARKUP)) + MARKUP.encode()),
    },
)

# --- Redis ---


def _redis(told: bytes) -> Answer:
    def answer(request: bytes) -> bytes:
        return told or b"+OK\r\n" * max(1, request.count(b"*"))

    return answer


REDIS = Protocol(
    _redis(b""),
    {
        "deep": _redis(b"*1\r\n" * 100_000),
        "wide": _redis(b"*100000000\r\n" + b"+x\r\n" * 500_000),
        "wrong type": _redis(b"*x\r\n$y\r\n:z\r\n"),
        "huge number": _redis(b"$999999999999\r\n" + b"x" * 100_000),
        "negative number": _redis(b"$-7\r\n*-9\r\n"),
        "nan": _redis(b",nan\r\n:inf\r\n"),
        "control characters": _redis(f"-ERR {NASTY}\r\n".encode()),
        "markup": _redis(f"-ERR {MARKUP}\r\n".encode()),
        "pushes": _redis(b"+OK\r\n" + b">3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\ny\r\n" * 200_000),
        "other types": _redis(
            b"%1\r\n+a\r\n+b\r\n~1\r\n+a\r\n|1\r\n+a\r\n+b\r\n=5\r\ntxt:a\r\n" * 50_000
        ),
    },
)

# --- the local socket of a station ---


def _station(line: str) -> Answer:
    def answer(_request: bytes) -> bytes:
        return line.encode(errors="surrogatepass") + b"\n"

    return answer


STATION = Protocol(
    _station('{"answer": []}'),
    {
        "deep": _station('{"answer": ' + "[" * 100_000),
        "wide": _station('{"answer": [' + "1," * 500_000 + "1]}"),
        "wrong type": _station('{"answer": {"a": true}}'),
        "huge number": _station(f'{{"answer": [{HUGE * 30}]}}'),
        "negative number": _station(f'{{"answer": [-{HUGE}]}}'),
        "nan": _station('{"answer": [NaN, 1e999]}'),
        "control characters": _station('{"error": {"kind": 7, "message": "\\u0000\\u202e"}}'),
        "markup": _station(f'{{"error": {{"kind": "{MARKUP}", "message": null}}}}'),
    },
)

BY_DRIVER: Mapping[str, Protocol] = {
    "mtconnect": MTCONNECT,
    "grbl": GRBL,
    "linuxcnc": LINUXCNC,
    "opcua": OPCUA,
}
