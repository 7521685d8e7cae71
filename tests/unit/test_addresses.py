import socket
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from cnc_station import addresses

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), min_size=1, max_size=30)


@given(WORDS)
def test_any_password_reaches_the_servers_client_as_it_is(word: str) -> None:
    database = addresses.database(addresses.with_password("postgresql://cnc@db:5432/shop", word))
    assert make_url(database).password == word
    assert addresses.password(database) == word
    redis = addresses.redis(addresses.with_password("rediss://cache", word))
    assert Redis.from_url(redis).connection_pool.connection_kwargs["password"] == word


@given(WORDS)
def test_an_address_that_is_shown_hides_the_password_and_nothing_else(word: str) -> None:
    plain = "postgresql://cnc@db:5432/shop?sslmode=verify-full"
    url = addresses.with_password(plain, word)
    assert addresses.shown(url) == plain.replace("cnc@", "cnc:***@")
    assert addresses.account(url) == "postgresql://cnc@db:5432"
    assert addresses.shown(plain) == plain


def test_a_password_belongs_to_user_and_server() -> None:
    assert addresses.account("postgresql+psycopg://cnc:x@db/shop") == "postgresql://cnc@db"
    assert addresses.account("rediss://:x@cache:6380/1") == "redis://cache:6380"
    assert addresses.account("redis://cache:6380/2") == "redis://cache:6380"
    assert addresses.account("unix:///run/redis.sock?db=1") == "redis:///run/redis.sock"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://cnc:hunter2/x@db/shop",
        "postgresql://cnc:hunter2#x@db/shop",
        "postgresql://cnc:hunter2?x@db/shop",
        "postgresql://cnc:p@hunter2@db/shop",
        "postgresql://cnc:hunter2:x@db/shop",
        "postgresql://cnc:hunter2\u2100@db/shop",
        "postgresql://cnc:hunter2 x@db/shop",
        "postgresql://cnc:hunter2@db",
        "postgresql://cnc@db/shop?password=hunter2",
        "postgresql://cnc@db/shop?sslmode=hunter2",
        "postgresql://cnc@db/shop?host=hunter2",
        "oracle://cnc:hunter2@db/shop",
    ],
)
def test_an_error_does_not_repeat_the_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|may") as caught:
        addresses.database(text)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_secure_connection_is_asked_for_as_the_servers_clients_do(tmp_path: Path) -> None:
    ca, key, cert = (tmp_path / name for name in ("ca.pem", "key.pem", "cert.pem"))
    for path in (ca, key, cert):
        path.touch()
    database = f"postgresql://db/shop?sslmode=verify-full&sslrootcert={ca}"
    assert addresses.database(f"{database}&sslcert={cert}&sslkey={key}")
    assert addresses.is_secured(database)
    # another server with a certificate of the same shop would do
    assert not addresses.is_secured(database.replace("verify-full", "verify-ca"))
    redis = f"rediss://cache?ssl_ca_certs={ca}"
    assert addresses.redis(f"{redis}&ssl_certfile={cert}&ssl_keyfile={key}")
    assert addresses.is_secured(redis)
    assert addresses.database("postgresql://cnc@/shop?host=/var/run/postgresql")


@pytest.mark.parametrize(
    ("url", "encrypted"),
    [
        ("postgresql://db/shop", False),
        ("postgresql+psycopg://db/shop?sslmode=disable", False),
        ("postgresql://db/shop?sslmode=allow", False),
        ("postgresql://db/shop?sslmode=prefer", False),
        ("postgresql://db/shop?sslmode=require", True),
        ("postgresql://db/shop?sslmode=verify-full", True),
        ("redis://cache", False),
        ("rediss://cache", True),
    ],
)
def test_only_what_cannot_be_talked_out_of_it_counts_as_encrypted(
    url: str, encrypted: bool
) -> None:
    assert addresses.is_encrypted(url) is encrypted


@pytest.mark.parametrize(
    ("host", "found", "here"),
    [
        ("", [], True),  # a socket
        ("127.0.0.1", None, True),
        ("127.8.9.10", None, True),
        ("[::1]", None, True),
        ("localhost", ["127.0.0.1", "::1"], True),
        ("[::ffff:127.0.0.1]", None, True),
        ("192.0.2.10", None, False),
        ("0.0.0.0", None, False),
        ("shop-server", ["127.0.1.1"], True),
        ("localhost", ["192.0.2.10"], False),
        ("shop-server", ["127.0.0.1", "192.0.2.10"], False),
        ("shop-server", [], False),  # nobody knows it
        ("fe80::1%eth0", ["fe80::1%eth0"], False),
    ],
)
def test_the_address_and_not_the_name_decides_whether_a_server_is_here(
    host: str, found: list[str] | None, here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(*_arguments: object, **_more: object) -> list[object]:
        if not found:
            raise OSError("not known")
        return [(2, 1, 6, "", (address, 0)) for address in found]

    if found is not None:
        monkeypatch.setattr(socket, "getaddrinfo", resolved)
    address = f"[{host}]" if "%" in host else host
    assert addresses.stays_here(f"postgresql://cnc@{address}/shop") is here


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("postgresql://db/shop?sslrootcert={file}", "sslmode=verify-full with sslrootcert"),
        ("postgresql://db/shop?sslmode=verify-full&sslrootcert={file}.not", "of an existing file"),
        ("postgresql://db/shop?sslmode=require&sslcert={file}", "both sslcert and sslkey"),
        ("redis://cache?ssl_ca_certs={file}", "start with rediss://"),
        ("rediss://cache?ssl_keyfile={file}", "both ssl_certfile and ssl_keyfile"),
        ("rediss://cache?ssl_cert_reqs=none", "may have these parameters"),
        ("redis://cache?db=first", "a number as db"),
    ],
)
def test_a_half_secure_connection_is_refused(text: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    check = addresses.database if text.startswith("postgresql") else addresses.redis
    with pytest.raises(ValueError, match=why):
        check(text.format(file=file))
