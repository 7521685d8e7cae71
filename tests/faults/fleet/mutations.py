"""Guards taken out on purpose: a campaign that does not notice is worth nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, text


def _nothing(_connection: Connection) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is patched in every station, and what is changed in the database before."""

    in_a_station: Callable[[], None]
    in_the_database: Callable[[Connection], None] = _nothing


def _without_tokens() -> None:
    """A write about a run names its job and its run and proves nothing: neither the token nor the
    states that stand beside it are compared."""
    from sqlalchemy.sql import visitors  # noqa: PLC0415 - stations alone mutate

    from cnc_station.engine.store import moves  # noqa: PLC0415 - as above

    def loosened(made: Callable[..., Any], dropped: set[str]) -> Callable[..., Any]:
        def make(*arguments: Any, **options: Any) -> Any:
            statement = made(*arguments, **options)
            kept = [
                clause
                for clause in statement._where_criteria
                if not dropped & {c.name for c in visitors.iterate(clause) if hasattr(c, "name")}
            ]
            statement._where_criteria = tuple(kept)
            return statement

        return make

    patched: Any = moves
    patched.run_statement = cache(loosened(patched.run_statement.__wrapped__, {"token", "state"}))
    patched.job_statement = cache(loosened(patched.job_statement.__wrapped__, {"run_id", "state"}))


def _without_locks() -> None:
    """Two stations may look at the same waiting job."""
    from cnc_station.engine.store import claims  # noqa: PLC0415 - as above

    def unlocked(query: Any) -> Any:
        copy = query._generate()
        copy._for_update_arg = None
        return copy

    patched: Any = claims
    for name in ("offer_statement", "pinned_statement"):
        made = getattr(claims, name).__wrapped__
        setattr(patched, name, cache(lambda *a, made=made, **k: unlocked(made(*a, **k))))
    patched.IDLE = unlocked(patched.IDLE)


def _without_unique_indexes(connection: Connection) -> None:
    for name in ("run_live_job", "run_live_machine"):
        connection.execute(text(f"DROP INDEX {name}"))


MUTATIONS = {
    "token": Mutation(_without_tokens),
    "locks": Mutation(_without_locks, _without_unique_indexes),
}
