"""The settings of a station: environment variables CNC_* and a TOML file.

Each setting has one name: `simulator_speed` in the file is `CNC_SIMULATOR_SPEED` in the
environment. The command line overrides the environment, the environment the file, and the file the
default. No other module reads the environment.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from cnc_station import addresses
from cnc_station.engine.domain import text_gate, toml_text
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.limits import NAMES, LimitRules
from cnc_station.engine.domain.policies import RankPolicy, Retention, RetryPolicy
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.outside_file import FileRefused, read_file
from cnc_station.peers import limits
from cnc_station.setting_readers import (
    ALIASES,
    MOST_NAME,
    READERS,
    SQLITE,
    is_file,
    path_of,
)

PREFIX = "CNC_"
FILE_NAME = "cnc-station.toml"
DATABASE_NAME = "station.db"
_MOST_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in force.

    Addresses may contain a password, so they are not in `repr`; `secrets.complete` adds a password
    that they do not contain. `data_folder` need not exist yet: the first writer creates it.
    `time_zone` is an IANA name; "" for that of this computer. `claim_batch` is the number of
    jobs a station claims in one transaction, `automation_workers` the number of jobs without a
    machine that it runs at once. `limit_rules`: what one account may create and start.
    `shell_commands` is the list of allowed commands; None: shell.command is off.
    `archive_folder` gets expired rows as CSV before they are deleted; None: they are not kept.
    `web/serving.py` says what is served where: a port of 0 is off, and None stands for another
    setting. `metrics_from` are the networks that may read metrics, beside this computer.
    `log_form` is for the stderr of a station without a window; a `log_max_mb` of 0 writes no
    log file. A back-up is made each day at `backup_time` if there is a `backup_folder`; unset,
    the window sets both. `given` are the settings that are not defaults, as text.
    `settings_file` is the file of these settings, which need not exist; `overridden` are those
    that the environment or the command line sets.
    """

    data_folder: Path
    database_url: str = field(repr=False)
    redis_url: str = field(default="", repr=False)
    station: str = "station"
    operator: str = "operator"
    time_zone: str = ""
    theme: str = "system"
    density: str = "dense"
    simulator_speed: float = 1.0
    simulator_seed: int | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    rank: RankPolicy = field(default_factory=RankPolicy)
    lease_s: float = 300.0
    leader_lease_s: float = 30.0
    claim_batch: int = 100
    automation_workers: int = 5
    shell_commands: Path | None = None
    limit_rules: LimitRules = field(default_factory=LimitRules)
    retention: Retention = field(default_factory=Retention)
    archive_folder: Path | None = None
    synchronous: str = "FULL"
    clear_text: str = "refuse"
    api_host: str = "127.0.0.1"
    api_port: int | None = None
    api_hosts: tuple[str, ...] = ()
    api_origins: tuple[str, ...] = ()
    api_proxies: tuple[str, ...] = ()
    api_certificate: Path | None = None
    api_key: Path | None = None
    health_host: str | None = None
    health_port: int | None = None
    metrics_from: tuple[str, ...] = ()
    http_proxy: str = field(default="", repr=False)
    http_ca_file: Path | None = None
    webhook_url: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)  # from where passwords are kept
    webhook_timeout_s: float = 10.0
    webhook_concurrency: int = 8
    webhook_hourly_tries: int = 24
    webhook_test: str = "off"
    smtp_host: str = ""
    smtp_port: int | None = None
    smtp_security: str = "starttls"
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)  # from where passwords are kept
    smtp_from: str = ""
    smtp_timeout_s: float = limits.SMTP.last_byte_s
    log_folder: Path | None = None  # `logs` in the data folder
    log_form: str = "text"
    log_keep_days: int = 30
    log_max_mb: int = 200
    backup_folder: Path | None = None
    backup_time: str = ""
    token: str = field(default="", repr=False)  # of the command line, at a station with accounts
    given: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    settings_file: Path | None = field(default=None, compare=False)
    overridden: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def logs(self) -> Path:
        """The folder of the log files of this station, and of others that share it."""
        return self.log_folder or self.data_folder / "logs"

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a file, which only one station uses."""
        return self.database_url.startswith(SQLITE)

    @property
    def database_path(self) -> Path | None:
        """The file of an embedded database; None for a server."""
        return Path(self.database_url.removeprefix(SQLITE)) if self.is_embedded else None

    @property
    def database_shown(self) -> str:
        """The database for people: a file, or an address without its password."""
        path = self.database_path
        return addresses.shown(self.database_url) if path is None else str(path)


def default_file() -> Path:
    """Return the path of the TOML file if no other is named."""
    return platformdirs.user_config_path("cnc-station", appauthor=False) / FILE_NAME


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as text, and its name for error messages."""

    text: str
    source: str


def load(
    environ: Mapping[str, str],
    toml_path: Path | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Config:
    """Return the settings from `overrides` (setting -> text), `environ` and the TOML file.

    The file is `toml_path`, or that of `CNC_CONFIG`, or the default file if it exists. Raises
    InvalidInput with each invalid setting and each unknown one of the file.
    """
    errors: list[FieldError] = []
    named = toml_path or (Path(environ["CNC_CONFIG"]) if environ.get("CNC_CONFIG") else None)
    above = _from_environment(environ)
    above |= {_setting(name): _Given(text, name) for name, text in (overrides or {}).items()}
    given = _from_file(named, errors) | above
    values: dict[str, Any] = {}
    for name, value in given.items():
        try:
            values[name] = READERS[name](value.text)
        except ValueError as error:
            errors.append(FieldError(value.source, str(error)))
    if values.get("smtp_host") and not values.get("smtp_from"):
        errors.append(FieldError("smtp_from", "is missing: the address that e-mail comes from"))
    if ("api_certificate" in values) != ("api_key" in values):
        name = "api_key" if "api_certificate" in values else "api_certificate"
        errors.append(FieldError(name, "is missing: a certificate and its key belong together"))
    if errors:
        raise InvalidInput(*errors)
    texts = {name: value.text for name, value in sorted(given.items())}
    about = {"settings_file": named or default_file(), "overridden": frozenset(above)}
    return _assembled({**values, "given": texts, **about}, environ)


def unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that look like settings but are not, usually spelling mistakes."""
    known = {PREFIX + name.upper() for name in (*READERS, *ALIASES, "config")}
    return tuple(sorted(n for n in environ if n.startswith(PREFIX) and n not in known))


def _setting(name: str) -> str:
    return ALIASES.get(name, name)


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    return {
        _setting(name): _Given(environ[variable], variable)
        for name in (*ALIASES, *READERS)
        if environ.get(variable := PREFIX + name.upper())
    }


def _from_file(named: Path | None, errors: list[FieldError]) -> dict[str, _Given]:
    path = named or default_file()
    if named is None and not is_file(path):
        return {}
    try:
        table = toml_text.load(read_file(path, _MOST_FILE_BYTES).decode())
    except FileRefused as refused:
        errors += [FieldError(str(path), item.reason) for item in refused.errors]
        return {}
    except ValueError as error:  # ValueError: neither TOML nor UTF-8
        errors.append(FieldError(str(path), f"can't be read: {error}"))
        return {}
    given = {}
    for name, value in table.items():
        source = f"{name} in {path.name}"
        if _setting(name) not in READERS:
            errors.append(FieldError(source, "there is no such setting"))
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            given[_setting(name)] = _Given(",".join(value), source)
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            errors.append(FieldError(source, "must be text or a number"))
        else:
            given[_setting(name)] = _Given(str(value), source)
    return given


def _assembled(values: dict[str, Any], environ: Mapping[str, str]) -> Config:
    def policy(kind: type[Any], prefix: str) -> Any:
        names = [name for name in values if name.startswith(prefix)]
        return kind(**{name.removeprefix(prefix): values.pop(name) for name in names})

    home = values.pop("data_folder", None)
    try:
        folder = home or path_of(platformdirs.user_data_dir("cnc-station", appauthor=False))
    except ValueError as error:
        raise InvalidInput(FieldError("data_folder", str(error))) from error
    values.setdefault("database_url", SQLITE + str(folder / DATABASE_NAME))
    values.setdefault("station", text_gate.visible(platform.node(), MOST_NAME) or "station")
    person = environ.get("USER") or environ.get("USERNAME") or "operator"
    values.setdefault("operator", text_gate.visible(person, MOST_NAME))
    return Config(
        data_folder=folder,
        retry=policy(RetryPolicy, "retry_"),
        rank=policy(RankPolicy, "rank_"),
        retention=policy(Retention, "keep_"),
        limit_rules=_limit_rules(values),
        **values,
    )


def _limit_rules(values: dict[str, Any]) -> LimitRules:
    """Take the limits out of the settings."""
    rules = LimitRules(local=values.pop("limit_local", "off") == "on")
    by_role: dict[Role, dict[str, Any]] = {}
    for name in NAMES:
        if (given := values.pop(f"limit_{name}", None)) is not None:
            everybody, own = given
            rules = replace(rules, everybody=replace(rules.everybody, **{name: everybody}))
            for role, limit in own.items():
                by_role.setdefault(role, {})[name] = limit
    return replace(rules, by_role=by_role)
