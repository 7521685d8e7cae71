"""How the text of each setting is read: into a value, or a ValueError that says what it must be."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cnc_station import addresses
from cnc_station.engine.domain import backup, limits, text_gate
from cnc_station.engine.domain.message_formats.options import is_mail_address
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.domain.webhooks import url_fault

SQLITE = "sqlite:///"
MOST_NAME = 60  # characters of a station's or an operator's name
THEMES = ("system", "light", "dark", "high_contrast", "high_contrast_light", "lavender")
DENSITIES = ("dense", "touch")
# The synchronous modes of SQLite: only FULL and EXTRA survive a power cut.
SYNCHRONOUS = ("FULL", "EXTRA", "NORMAL")
# Whether servers beyond this computer may be spoken to in clear text.
CLEAR_TEXT = ("refuse", "allow")
SWITCH = ("off", "on")
SMTP_SECURITY = ("starttls", "tls", "none")

Reader = Callable[[str], Any]


def path_of(text: str) -> Path:
    """Return an absolute path. Raises ValueError."""
    if "\x00" in text:
        raise ValueError("is not a valid path")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be a path whose name is valid UTF-8") from None
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError("names a home folder that does not exist") from error


def _database(text: str) -> str:
    """Return the path of a file, or an address of a database."""
    if "://" in text and not text.startswith(SQLITE):
        return addresses.database(text)
    if "://" in text:
        return text
    path = str(path_of(text))
    if "?" in path:
        raise ValueError("the path of the file must not contain a question mark")
    return SQLITE + path


def _file(text: str) -> Path:
    path = path_of(text)
    if not is_file(path):
        raise ValueError("must be the path of an existing file")
    return path


def is_file(path: Path) -> bool:
    """Whether a path is that of a file that can be reached."""
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a folder that this user may not enter
        return False


def _webhook(text: str) -> str:
    if fault := url_fault(text):
        raise ValueError(fault)
    return text


def _account(text: str) -> str:
    if not text.strip() or len(text) > 200 or text_gate.fault(text) is not None:
        raise ValueError("must be the name of an account")
    return text.strip()


def _mail_address(text: str) -> str:
    if not is_mail_address(text):
        raise ValueError("must be an address such as cnc@shop.example")
    return text


def _list_of(read_one: Reader) -> Reader:
    def read(text: str) -> tuple[Any, ...]:
        return tuple(
            dict.fromkeys(read_one(part.strip()) for part in text.split(",") if part.strip())
        )

    return read


def _name(text: str) -> str:
    if (wrong := text_gate.fault(text)) is not None:
        raise ValueError(wrong)
    name = text_gate.tidy(text)
    if not 0 < len(name) <= MOST_NAME:
        raise ValueError(f"must be a name of at most {MOST_NAME} characters")
    return name


def _time_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be a time zone such as Europe/Berlin") from error


def _one_of(*words: str) -> Reader:
    def read(text: str) -> str:
        for word in words:
            if text.strip().lower().replace("-", "_") == word.lower():
                return word
        raise ValueError(f"must be one of {', '.join(words)}")

    return read


def _number(low: float, high: float) -> Reader:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"must be a number from {low:,g} to {high:,g}")
        return value

    return read


def _whole(low: int, high: int) -> Reader:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise ValueError(f"must be a whole number from {low:,} to {high:,}")
        return value

    return read


def _limit(read_one: Reader) -> Reader:
    """Return what counts for everybody, and for the roles that the setting names."""

    def read(text: str) -> tuple[Any, Mapping[Role, Any]]:
        everybody, own = limits.by_role(text)
        return read_one(everybody), {role: read_one(one) for role, one in own.items()}

    return read


ALIASES = {"database": "database_url"}
READERS: Mapping[str, Reader] = {
    "data_folder": path_of,
    "database_url": _database,
    "redis_url": addresses.redis,
    "station": _name,
    "operator": _name,
    "time_zone": _time_zone,
    "theme": _one_of(*THEMES),
    "density": _one_of(*DENSITIES),
    "simulator_speed": _number(0.01, 100_000),
    "simulator_seed": _whole(0, 2**63 - 1),
    "retry_initial_s": _number(0, 86_400),
    "retry_maximum_s": _number(0, 86_400),
    "retry_jitter": _number(0, 1),
    "retry_machining_limit": _whole(0, 100),
    "retry_automation_limit": _whole(0, 100),
    "rank_point_s": _number(0, 86_400),
    "rank_due_pull_s": _number(1, 30 * 86_400),
    "lease_s": _number(1, 86_400),
    "leader_lease_s": _number(1, 3_600),
    "claim_batch": _whole(1, 10_000),
    "automation_workers": _whole(0, 100),
    "limit_create": _limit(limits.rate),
    "limit_active": _limit(limits.most_active),
    "limit_run": _limit(limits.rate),
    "limit_local": _one_of(*SWITCH),
    "shell_commands": path_of,
    "keep_jobs_days": _whole(0, 36_500),
    "keep_deliveries_days": _whole(0, 36_500),
    "keep_runs_days": _whole(0, 36_500),
    "keep_firings_days": _whole(0, 36_500),
    "keep_alerts_days": _whole(0, 36_500),
    "keep_events_days": _whole(0, 36_500),
    "keep_programs_days": _whole(0, 36_500),
    "archive_folder": path_of,
    "synchronous": _one_of(*SYNCHRONOUS),
    "clear_text": _one_of(*CLEAR_TEXT),
    "api_host": addresses.host,
    "api_port": _whole(0, 65_535),
    "api_hosts": _list_of(addresses.host_name),
    "api_origins": _list_of(addresses.origin),
    "api_proxies": _list_of(addresses.network),
    "api_certificate": _file,
    "api_key": _file,
    "health_host": addresses.host,
    "health_port": _whole(0, 65_535),
    "metrics_from": _list_of(addresses.network),
    "http_proxy": addresses.proxy,
    "http_ca_file": _file,
    "webhook_url": _webhook,
    "webhook_timeout_s": _number(0.1, 300),
    "webhook_concurrency": _whole(1, 100),
    "webhook_hourly_tries": _whole(0, 168),
    "webhook_test": _one_of(*SWITCH),
    "smtp_host": addresses.server_name,
    "smtp_port": _whole(1, 65_535),
    "smtp_security": _one_of(*SMTP_SECURITY),
    "smtp_user": _account,
    "smtp_from": _mail_address,
    "smtp_timeout_s": _number(1, 300),
    "log_folder": path_of,
    "log_form": _one_of("text", "json"),
    "log_keep_days": _whole(0, 36_500),
    "log_max_mb": _whole(0, 1_000_000),
    "backup_folder": path_of,
    "backup_time": backup.clock_of,
    "token": str,
}
