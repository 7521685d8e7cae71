"""Who asks: a person's or a program's name, what its roles permit, and whose jobs it sees."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in the shop."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Principal:
    """Bound to a door before anything can be asked. Its name stands in every event it causes.

    `tenants`: the only ones whose jobs it sees and changes; None: all of them.
    """

    name: str
    roles: frozenset[Role] = frozenset()
    tenants: frozenset[str] | None = frozenset()


def local_principal(name: str) -> Principal:
    """The person at a station without accounts, who may do everything."""
    return Principal(name, frozenset({Role.ADMINISTRATOR}), tenants=None)
