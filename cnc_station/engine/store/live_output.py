"""The output of runs that still run, for the windows of other stations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import BigInteger, Text, Update, update

from cnc_station.engine.store.dialect import Dialect, packed
from cnc_station.engine.store.schema import live_run, run
from cnc_station.engine.store.transaction import OneByOne, Tx


@dataclass(frozen=True, slots=True)
class LiveOutput:
    """The end of what a run has printed so far; `size` counts all bytes."""

    run_id: int
    token: int
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class StoreLiveOutputs(OneByOne[None]):
    """Store them all in one statement. A run that is over keeps its own, as does one that another
    station has by now. No notice: whoever looks at a run looks again by itself."""

    outputs: Sequence[LiveOutput]

    def write(self, tx: Tx) -> None:
        items = [[one.run_id, one.token, one.size, one.text] for one in self.outputs]
        tx.connection.execute(_store(tx.dialect), {"item": packed(items)})


@cache
def _store(dialect: Dialect) -> Update:
    item = dialect.items("item", id=BigInteger, token=BigInteger, size=BigInteger, text=Text)
    return (
        update(run)
        .where(run.c.id == item.c.id, run.c.token == item.c.token, live_run)
        .values(output=item.c.text, output_size=item.c.size)
    )
