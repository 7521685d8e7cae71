"""Servers that prove who they are and ask their clients to: what an address's parameters bring."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from cnc_station import addresses
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.signals.redis import RedisSignals
from cnc_station.engine.store.database import Database
from tests.tools.servers import Postgres, Redis


@dataclass(frozen=True, slots=True)
class Papers:
    """Certificates, and keys, as files."""

    ca: Path
    other_ca: Path
    certificate: Path
    key: Path
    server: tuple[str, str, str]  # CA, certificate and key as text


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    ca, other, client, server = (
        folder / name for name in ("ca.pem", "other.pem", "station.pem", "server.pem")
    )
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca))
    trustme.CA().cert_pem.write_to_path(str(other))
    station = authority.issue_cert("station.shop")
    station.cert_chain_pems[0].write_to_path(str(client))
    key = folder / "station.key"
    key.touch(mode=0o600)
    station.private_key_pem.write_to_path(str(key))
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(server))
    texts = (ca.read_text(), server.read_text(), issued.private_key_pem.bytes().decode())
    return Papers(ca, other, client, key, texts)


class SecurePostgres(Postgres):
    """Lets in who has a password and a certificate of the shop's."""

    def __init__(self, papers: Papers) -> None:
        super().__init__()
        self._papers = papers
        names = ("ca", "cert", "key")
        self._files = [
            f"--ssl_{name}_file={self._private(name, text)}"
            for name, text in zip(names, papers.server, strict=True)
        ]
        hba = "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n"
        (self._data / "pg_hba.conf").write_text(hba)

    def _command(self) -> list[str]:
        return [*super()._command(), "--ssl=on", *self._files]

    def url(self, database: str = "postgres") -> str:
        papers = self._papers
        return (
            f"{self.bare(database)}?sslmode=verify-full&sslrootcert={papers.ca}"
            f"&sslcert={papers.certificate}&sslkey={papers.key}"
        )

    def bare(self, database: str = "postgres") -> str:
        """Without a word about certificates."""
        return super().url(database)


class SecureRedis(Redis):
    """Likewise."""

    def __init__(self, papers: Papers) -> None:
        super().__init__()
        self._papers = papers
        names = ("ca-cert", "cert", "key")
        self._files = [
            word
            for name, text in zip(names, papers.server, strict=True)
            for word in (f"--tls-{name}-file", str(self._private(name, text)))
        ]

    def _command(self) -> list[str]:
        command = super()._command()
        command[command.index("--port") : command.index("--port") + 2] = ["--port", "0"]
        return [*command, "--tls-port", str(self.port), *self._files]

    @property
    def url(self) -> str:
        papers = self._papers
        return (
            f"{self.bare}?ssl_ca_certs={papers.ca}"
            f"&ssl_certfile={papers.certificate}&ssl_keyfile={papers.key}"
        )

    @property
    def bare(self) -> str:
        """Without a word about certificates."""
        return super().url.replace("redis://", "rediss://")


@pytest.fixture(scope="module")
def secure_postgres(
    papers: Papers,
    postgres: Postgres,  # noqa: ARG001 - skips where it is not installed
) -> Iterator[SecurePostgres]:
    with SecurePostgres(papers) as server:
        yield server


@pytest.fixture(scope="module")
def secure_redis(
    papers: Papers,
    redis_server: Redis,  # noqa: ARG001 - as above
) -> Iterator[SecureRedis]:
    with SecureRedis(papers) as server:
        yield server


def encryption(url: str) -> str:
    database = Database(addresses.database(url))
    try:
        return str(database.read(database.dialect.encryption))
    finally:
        database.close()


def test_a_database_is_reached_with_certificates_on_both_sides(
    secure_postgres: SecurePostgres, postgres: Postgres
) -> None:
    assert encryption(secure_postgres.url()).startswith("TLSv1.")
    assert encryption(postgres.url()) == ""


def test_a_database_server_that_can_not_prove_itself_is_told_apart(
    secure_postgres: SecurePostgres, postgres: Postgres, papers: Papers
) -> None:
    stranger = secure_postgres.url().replace(str(papers.ca), str(papers.other_ca))
    for url in (stranger, postgres.url() + "?sslmode=require"):
        with pytest.raises(Unavailable, match="No secure connection to the database server"):
            encryption(url)


def test_what_a_database_server_objects_to_is_said_without_the_password(
    secure_postgres: SecurePostgres, postgres: Postgres
) -> None:
    wrong = addresses.with_password(postgres.url(), "hunter2")
    for url, why in (
        (wrong, "secret set database"),
        (postgres.url("none"), "no database of that name"),
        (secure_postgres.bare() + "?sslmode=require", "No secure connection"),
        (secure_postgres.bare() + "?sslmode=disable", "does not let this computer in"),
        ("postgresql://cnc:hunter2@127.0.0.1:1/shop", "can't be reached"),
    ):
        with pytest.raises(Unavailable, match=why) as caught:
            encryption(url)
        assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


async def ping(url: str) -> None:
    signals = RedisSignals(addresses.redis(url))
    try:
        await signals.ping()
    finally:
        await signals.stop()


async def test_redis_is_reached_with_certificates_on_both_sides(secure_redis: SecureRedis) -> None:
    await ping(secure_redis.url)


async def test_a_redis_that_can_not_prove_itself_or_wants_proof_is_not_reached(
    secure_redis: SecureRedis, papers: Papers
) -> None:
    stranger = secure_redis.url.replace(str(papers.ca), str(papers.other_ca))
    unproven = f"{secure_redis.bare}?ssl_ca_certs={papers.ca}"
    insecure = "No secure connection to Redis"  # unless its alert is cut off by its hanging up
    for url, why in ((stranger, insecure), (unproven, f"{insecure}|can't be reached")):
        with pytest.raises(Unavailable, match=why):
            await ping(url)


async def test_a_wrong_password_for_redis_is_told_apart(redis_server: Redis) -> None:
    with pytest.raises(Unavailable, match="secret set redis") as caught:
        await ping(addresses.with_password(redis_server.url, "hunter2"))
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"
