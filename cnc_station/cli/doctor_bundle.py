"""`doctor --bundle`: one private file to send when something is wrong.

It has what `doctor` found, versions, settings, the health of the database, logs and crash reports.
Never a row of the database, and no password: every text is searched for all secrets that this
station knows, and for what looks like one.
"""

import json
import platform
import re
import sqlite3
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, fields, is_dataclass
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sqlalchemy import Connection, text

from cnc_station import __version__, addresses, private_files, secrets
from cnc_station.cli.invocation import Call, Diagnosis
from cnc_station.config import Config
from cnc_station.crash_reports import reports
from cnc_station.engine.domain.errors import FieldError, InvalidInput, Unavailable
from cnc_station.engine.store.database import Database
from cnc_station.logs.file import SUFFIX, file_name

_MOST_LOG_BYTES = 20_000_000
_MOST_FILE_BYTES = 200_000_000
_SHORTEST = 4  # a shorter secret can't be told from other text
_HIDDEN = "***"
_IN_ADDRESS = re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"']+(?=@)")
_NAMED = re.compile(
    r"((?:password|passwd|secret|token|authorization|api[_-]?key|cookie)\\?[\"']?\s*[:=]\s*"
    r"(?:\\?[\"'])?(?:bearer |basic )?)[^\s\"',;}&\\]+",
    re.IGNORECASE,
)
_SECRET_KEY = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
_NOT_SHOWN = {"database_url", "redis_url", "http_proxy", "webhook_url"}


def write_bundle(call: Call, found: Sequence[Diagnosis], named: str) -> Path:
    """Write the file, `named` or in this folder. Raises InvalidInput if it exists or can't be."""
    config = call.config
    stamp = time.strftime("%Y%m%d-%H%M%S")
    usual = f"cnc-station-{file_name(config.station).removesuffix(SUFFIX)}-{stamp}.zip"
    path = Path(named or usual).absolute()
    hide = Scrubber(_known(config))
    try:
        private_files.create_new(path)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, value in _documents(config, found):
                bundle.writestr(name, hide.json(value))
            for name, file in _files(config):
                bundle.writestr(name, hide(_read(file)))
    except FileExistsError as error:
        raise InvalidInput(FieldError("--bundle", f"{path} exists: name another file")) from error
    except OSError as error:
        path.unlink(missing_ok=True)
        why = f"{path} can't be written: {error.strerror or error}"
        raise InvalidInput(FieldError("--bundle", why)) from error
    return path


class Scrubber:
    """Hides these secrets in texts, as they are and as they are written in addresses and JSON."""

    def __init__(self, known: Iterable[str]) -> None:
        forms = {
            form
            for secret in known
            if len(secret) >= _SHORTEST
            for form in (secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1])
        }
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def json(self, value: Any) -> str:
        """Return a document whose texts are searched one by one: it stays valid."""
        plain = json.loads(json.dumps(value, default=str))
        return json.dumps(self._within(plain), indent=2, ensure_ascii=False) + "\n"

    def _within(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self(name): self._within(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._within(one) for one in value]
        return self(value) if isinstance(value, str) else value

    def __call__(self, content: str) -> str:
        if self._known is not None:
            content = self._known.sub(_HIDDEN, content)
        content = _IN_ADDRESS.sub(rf"\1{_HIDDEN}", content)
        return _NAMED.sub(rf"\1{_HIDDEN}", content)


def _documents(config: Config, found: Sequence[Diagnosis]) -> Iterator[tuple[str, Any]]:
    yield "doctor.json", [asdict(one) for one in found]
    yield "versions.json", _versions()
    yield "settings.json", _settings(config)
    yield "database.json", _database(config)


def _files(config: Config) -> Iterator[tuple[str, Path]]:
    for report in reports(config):
        yield f"crashes/{report.name}", report
    for log in _logs(config.logs):
        yield f"logs/{log.name}", log


def _read(path: Path) -> str:
    try:
        content = private_files.read_regular(path, _MOST_FILE_BYTES)
    except OSError as error:
        return f"can't be read: {error.strerror}\n"
    return (content or b"").decode("utf-8", "replace")


def _versions() -> Mapping[str, Any]:
    found = {one.metadata["Name"]: one.version for one in distributions()}
    return {
        "cnc-station": __version__,
        "python": sys.version,
        "platform": platform.platform(),
        "sqlite": sqlite3.sqlite_version,
        "packages": dict(sorted((name, version) for name, version in found.items() if name)),
    }


def _settings(config: Config) -> Mapping[str, Any]:
    """The settings in force. Of an address only what is no secret: its scheme and server."""
    shown: dict[str, Any] = {}
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name in _NOT_SHOWN:
            shown[field.name] = _server_of(value)
        elif is_dataclass(value) and not isinstance(value, type):
            shown[field.name] = asdict(value)
        elif field.repr:
            shown[field.name] = value
        else:
            shown[field.name] = "set" if value else "not set"
    return shown


def _server_of(url: str) -> str:
    if url.startswith("sqlite:"):
        return url
    with suppress(ValueError):
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}" if parts.hostname else ""
    return ""


def _logs(folder: Path) -> list[Path]:
    """The newest log files, as many as fit."""
    try:
        files = [(path.stat(), path) for path in folder.iterdir() if path.suffix == SUFFIX]
    except OSError:
        return []
    chosen: list[Path] = []
    size = 0
    for stat, path in sorted(files, key=lambda one: one[0].st_mtime, reverse=True):
        size += stat.st_size
        if chosen and size > _MOST_LOG_BYTES:
            break
        chosen.append(path)
    return chosen


def _database(config: Config) -> Mapping[str, Any]:
    """Its schema, sizes, and the number of rows of each table."""
    path = config.database_path
    try:
        if path is None:
            return _of_server(config)
        return {"file": str(path), **_of_file(path)} if path.is_file() else {"file": "none"}
    except (sqlite3.Error, OSError, Unavailable) as error:
        return {"error": str(error)}


def _of_file(path: Path) -> Mapping[str, Any]:
    with closing(_opened(path)) as opened:
        tables = _column(opened, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        pragmas = ("page_size", "page_count", "freelist_count", "journal_mode", "user_version")
        log = path.with_name(f"{path.name}-wal")
        return {
            "bytes": path.stat().st_size,
            "log bytes": log.stat().st_size if log.exists() else 0,
            "schema": _column(opened, "SELECT version_num FROM alembic_version")
            if "alembic_version" in tables
            else None,
            **{name: _column(opened, f"PRAGMA {name}")[0] for name in pragmas},
            "rows": {one: _column(opened, f'SELECT count(*) FROM "{one}"')[0] for one in tables},
        }


def _of_server(config: Config) -> Mapping[str, Any]:
    queries = {
        "version": "SELECT version()",
        "bytes": "SELECT pg_database_size(current_database())",
        "schema": "SELECT version_num FROM alembic_version",
    }
    tables = "SELECT relname, reltuples::bigint FROM pg_class WHERE relkind = 'r'"
    with closing(Database(secrets.database_address(config))) as opened:
        found: dict[str, Any] = {
            name: opened.read(partial(_all_of, query=query))[0][0]
            for name, query in queries.items()
        }
        rows = opened.read(partial(_all_of, query=tables))
    return found | {"rows": {name: count for name, count in rows if not name.startswith("pg_")}}


def _known(config: Config) -> set[str]:
    """Return all secrets that this station knows, wherever they are kept."""
    urls = (config.redis_url, config.http_proxy, "" if config.is_embedded else config.database_url)
    known = {addresses.password(url) or "" for url in urls if url}
    known |= {
        config.webhook_secret,
        config.smtp_password,
        config.token,
        *_paths([config.webhook_url]),
    }
    with suppress(Unavailable):
        known |= secrets.stored(config)
    with suppress(sqlite3.Error, OSError, Unavailable):
        known |= set(_in_database(config))
    return known - {""}


def _in_database(config: Config) -> Iterator[str]:
    """Yield the secrets and paths of webhooks, and what in the settings of machines is secret."""
    webhooks = "SELECT url, secret, previous_secret, options FROM webhook"
    machines = "SELECT settings FROM machine"
    for url, *others, options in _rows(config, webhooks):
        yield from _paths([url])
        yield from (other for other in others if other)
        yield from _secret_values(options)
    for (settings,) in _rows(config, machines):
        yield from _secret_values(settings)


def _rows(config: Config, query: str) -> Sequence[Sequence[Any]]:
    path = config.database_path
    if path is not None:
        with closing(_opened(path)) as opened:
            found: list[Sequence[Any]] = opened.execute(query).fetchall()
            return found
    with closing(Database(secrets.database_address(config))) as opened:
        rows: Sequence[Sequence[Any]] = opened.read(partial(_all_of, query=query))
        return rows


def _all_of(connection: Connection, query: str) -> Sequence[Sequence[Any]]:
    return [tuple(row) for row in connection.execute(text(query))]


def _secret_values(settings: str) -> Iterator[str]:
    with suppress(ValueError, AttributeError):
        for name, value in json.loads(settings).items():
            if isinstance(value, str) and _SECRET_KEY.search(name):
                yield value


def _paths(urls: Iterable[str]) -> Iterator[str]:
    """Yield what follows the server in addresses: chats take a token there."""
    for url in urls:
        with suppress(ValueError):
            parts = urlsplit(url)
            for part in (parts.path.strip("/"), parts.query):
                yield part
                yield unquote(part)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _column(opened: sqlite3.Connection, query: str) -> list[Any]:
    return [row[0] for row in opened.execute(query)]
