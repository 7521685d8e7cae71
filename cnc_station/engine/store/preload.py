"""What a transaction asks for at its very beginning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from cnc_station.engine.store.prepared import Statement


@dataclass(frozen=True, slots=True)
class TransactionPreload:
    """Numbers for new rows, and questions with the values that they will be asked with.

    It is known before the transaction begins that they will be needed, so that a server can be
    asked for them on the same way as for the transaction itself.
    """

    numbers: Mapping[Table, int] = field(default_factory=dict)
    questions: Mapping[Statement, Mapping[str, Any]] = field(default_factory=dict)


NOTHING = TransactionPreload()
