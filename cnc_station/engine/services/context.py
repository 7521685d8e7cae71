"""What the services of a station work with."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cnc_station.config import Config
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.handlers.base import Handler
from cnc_station.engine.outgoing_http import OutgoingHttp
from cnc_station.engine.outgoing_mail import OutgoingMail
from cnc_station.engine.services.health import Health
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.metrics import StationMetrics
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.retrying_writer import RetryingWriter


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """`incarnation` names this life of the station."""

    config: Config
    writer: RetryingWriter
    reader: Reader
    library: Library
    health: Health
    http: OutgoingHttp
    mail: OutgoingMail
    ping: Callable[[], None]  # a query of the database; blocks
    tell: Callable[[Notice], None]
    show: Callable[[frozenset[int]], None]  # machines with new telemetry
    handlers: Mapping[str, Handler]
    metrics: StationMetrics
    incarnation: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def alone(self) -> bool:
        """Whether the database is a file, which only one station uses."""
        return self.config.is_embedded
