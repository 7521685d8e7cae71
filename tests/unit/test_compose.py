"""The compose files of the shop server. No container engine runs here, so only their text is
checked."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import yaml

from cnc_station import addresses, config
from cnc_station.cli.parser import parse
from cnc_station.config import Config
from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer

FOLDER = Path(__file__).parents[2] / "packaging" / "compose"
BASE = (FOLDER / "compose.yaml").read_text("utf-8")
LAN = (FOLDER / "compose.lan.yaml").read_text("utf-8")
README = (FOLDER / "README.md").read_text("utf-8")
DOCKERFILE = (FOLDER / "Dockerfile").read_text("utf-8")
SECRETS = ("CNC_DATABASE_PASSWORD", "CNC_REDIS_PASSWORD", "CNC_GRAFANA_PASSWORD")


def services(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


def filled(text: str, **values: str) -> str:
    """Return the text with its variables filled in, as compose does."""
    return re.sub(r"\$\{(\w+):[-?]([^}]*)\}", lambda m: values.get(m[1], m[2]), text)


def test_no_password_has_a_default_or_is_in_the_files() -> None:
    for text in (BASE, LAN):
        for name in SECRETS:
            used = re.findall(rf"\$\{{{name}[^}}]*\}}", text)
            assert all(use.startswith(f"${{{name}:?") for use in used)
    for name in SECRETS:
        assert f"${{{name}:?" in BASE
    kept = services(BASE)["postgres"]["environment"]
    assert kept["POSTGRES_PASSWORD"].startswith("${CNC_DATABASE_PASSWORD:?")
    assert "POSTGRES_HOST_AUTH_METHOD" not in kept
    kept = services(BASE)["grafana"]["environment"]
    assert kept["GF_SECURITY_ADMIN_PASSWORD"].startswith("${CNC_GRAFANA_PASSWORD:?")


def test_nothing_listens_beyond_this_computer_unless_asked() -> None:
    ports = [port for service in services(BASE).values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    opened = [port for service in services(LAN).values() for port in service.get("ports", [])]
    assert all(port.startswith("${CNC_LAN_ADDRESS:?") for port in opened)


def test_every_service_is_supervised_and_keeps_its_data_in_a_named_volume() -> None:
    document = yaml.safe_load(BASE)
    for service in document["services"].values():
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]
    mounts = [volume for one in document["services"].values() for volume in one.get("volumes", [])]
    named = {mount.partition(":")[0] for mount in mounts if not mount.startswith(".")}
    assert named == set(document["volumes"]) == {"database", "station", "prometheus", "grafana"}
    waits = document["services"]["server"]["depends_on"]
    assert {wait["condition"] for wait in waits.values()} == {"service_healthy"}
    assert set(waits) == {"postgres", "redis"}


def test_every_file_network_and_service_that_is_named_is_there() -> None:
    base, lan = yaml.safe_load(BASE), yaml.safe_load(LAN)
    made_by_readme = {"./certificates", "./certificates/ca.crt"}
    for document in (base, lan):
        for service in document["services"].values():
            for mount in service.get("volumes", []):
                source = mount.partition(":")[0]
                is_file = source.startswith(".")
                assert not is_file or source in made_by_readme or (FOLDER / source).exists()
            assert set(service.get("networks", [])) <= set(base["networks"])
            assert set(service.get("depends_on", [])) <= set(base["services"])
    settings = (FOLDER / "prometheus" / "prometheus.yml").read_text()
    scraped = re.findall(r"names: \[(\w+)\]", settings)
    assert scraped == ["server", "station"]
    for name in (*scraped, "prometheus", "grafana"):
        assert "metrics" in base["services"][name]["networks"]


def test_a_station_that_is_scaled_shares_nothing_and_has_a_name_of_its_own(tmp_path: Path) -> None:
    station = services(filled(BASE, **dict.fromkeys(SECRETS, "0a1b2c")))["station"]
    assert not {"ports", "volumes", "container_name", "hostname"} & station.keys()
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$CNC_STATION|$*"\n')
    python.chmod(0o755)
    started = subprocess.run(
        [word.replace("$$", "$") for word in (*station["entrypoint"], *station["command"])],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **station["environment"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert started.stdout == f"Server {os.uname().nodename}|-m cnc_station serve\n"


def test_only_prometheus_may_read_the_metrics_of_the_stations() -> None:
    document = yaml.safe_load(filled(BASE))
    (network,) = document["networks"]["metrics"]["ipam"]["config"]
    assert document["networks"]["metrics"]["internal"]
    for name in ("server", "station"):
        read = config.load(
            {"CNC_METRICS_FROM": document["services"][name]["environment"]["CNC_METRICS_FROM"]}
        )
        assert [str(one) for one in read.metrics_from] == [network["subnet"]]
    others = {
        name for name, one in document["services"].items() if "metrics" in one.get("networks", [])
    }
    assert others == {"server", "station", "prometheus", "grafana"}
    assert "location /metrics" not in (FOLDER / "nginx.conf").read_text()


def test_the_stations_settings_are_settings_and_are_accepted(tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.touch()
    for text in (BASE, LAN):
        given = services(filled(text, **dict.fromkeys(SECRETS, "0a1b2c")))["server"]["environment"]
        assert config.unknown_variables(given) == ()
        read = config.load(
            {name: value.replace("/etc/cnc/ca.crt", str(ca)) for name, value in given.items()}
        )
        assert addresses.password(read.database_url) == "0a1b2c"
    assert addresses.is_secured(read.database_url)


def test_what_is_open_to_the_shop_stays_open_after_any_command() -> None:
    assert "COMPOSE_FILE=compose.yaml:compose.lan.yaml" in README
    assert "docker compose -f" not in README


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_the_certificates_are_good_enough_for_every_station(tmp_path: Path) -> None:
    (block,) = (block for block in README.split("```") if "openssl x509" in block)
    commands = block[block.index("openssl req") : block.index("chmod")]
    asked = subprocess.run(
        ["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    # as strict as Python 3.13 and newer
    strictly = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.crt"]
    checked = subprocess.run(
        [*strictly, "-verify_hostname", "shop-server", "server.crt"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(not shutil.which("pg_dump"), reason="PostgreSQL's client is not installed")
def test_a_copy_is_made_without_asking_anybody(postgres_url: str, tmp_path: Path) -> None:
    (command,) = re.findall(r"exec -T postgres sh -c '(.*?)'", README)
    server = urlsplit(postgres_url)
    made = subprocess.run(
        ["setsid", "sh", "-c", f"{command} > cnc.dump"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "POSTGRES_PASSWORD": server.password or "",
            "PGHOST": server.hostname or "",
            "PGPORT": str(server.port),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 'database "cnc" does not exist' in made.stderr  # access was granted


def test_the_image_is_built_from_what_is_there() -> None:
    station = services(BASE)["server"]
    root = (FOLDER / station["build"]["context"]).resolve()
    assert (root / station["build"]["dockerfile"]).read_text("utf-8") == DOCKERFILE
    allowed = {
        line[1:]
        for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = set(re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE))
    assert copied == allowed
    assert all((root / path).exists() for path in copied)
    (words,) = re.findall(r'^CMD \["(.*)"\]$', DOCKERFILE, re.MULTILINE)
    assert parse(words.split('", "')).command.endswith(":serve")


def test_the_image_leaves_out_the_window_and_a_station_needs_none(tmp_path: Path) -> None:
    (wanted,) = re.findall(r"awk '(.*)'", DOCKERFILE)
    lock = FOLDER.parent / "requirements.txt"
    kept = subprocess.run(
        ["awk", wanted, str(lock)], capture_output=True, text=True, check=True
    ).stdout
    names = set(re.findall(r"^([a-z0-9-]+)==", kept, re.MULTILINE))
    left_out = set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE)) - names
    assert left_out == {"pyside6-essentials", "shiboken6", "pyqtgraph", "qasync"}
    assert all("--hash" in line or "==" in line for line in kept.splitlines())
    script = (
        "import sys\n"
        "for name in ('PySide6', 'shiboken6', 'pyqtgraph', 'qasync'): sys.modules[name] = None\n"
        "import cnc_station.headless, cnc_station.web.health\n"
        "from cnc_station.cli.run import run\n"
        f"sys.exit(run(['jobs'], {{'CNC_DATA_FOLDER': {str(tmp_path)!r}}}))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


async def test_the_health_check_asks_the_station(tmp_path: Path) -> None:
    engine = StationEngine(Config(tmp_path, f"sqlite:///{tmp_path / 'station.db'}"))
    await engine.start()
    server = WebServer(engine.local_door)
    port = await server.start("127.0.0.1", 0)
    _, _, *words = services(BASE)["station"]["healthcheck"]["test"]  # CMD, python, …
    words = [word.replace(":8460", f":{port}") for word in words]

    async def ended() -> int:
        silent = asyncio.subprocess.DEVNULL
        check = await asyncio.create_subprocess_exec(sys.executable, *words, stderr=silent)
        return await check.wait()

    assert await ended() == 0
    await server.stop()
    assert await ended() == 1
    await engine.stop()


@pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed")
def test_the_command_that_starts_redis_requires_the_password() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shell, option, script = services(BASE)["redis"]["command"]
    assert "exec redis-server - " in script
    ours = script.replace("$$", "$").replace(" - ", f" - --bind 127.0.0.1 --port {port} ", 1)
    with subprocess.Popen(
        [shell, option, ours],
        env={**os.environ, "CNC_REDIS_PASSWORD": "0a1b2c"},
        stdout=subprocess.DEVNULL,
    ) as server:
        try:
            with redis.Redis(host="127.0.0.1", port=port, password="0a1b2c") as client:
                assert _answer(client)
            with (
                redis.Redis(host="127.0.0.1", port=port) as stranger,
                pytest.raises(redis.AuthenticationError),
            ):
                stranger.ping()
            assert b"0a1b2c" not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
        finally:
            server.send_signal(signal.SIGTERM)


def _answer(client: redis.Redis) -> bool:
    deadline = time.monotonic() + 30
    while True:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
