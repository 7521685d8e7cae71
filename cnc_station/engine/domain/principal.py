"""The principal of a request: a person or program with its roles and tenants."""

from dataclasses import dataclass
from enum import StrEnum

from cnc_station.engine.domain.admission import OPERATOR
from cnc_station.engine.domain.text_gate import visible

LOCAL = "local"  # the account of everybody at any station without accounts


class Role(StrEnum):
    """A role in the shop."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Principal:
    """Bound to a door before any request; every event it causes has its name. `tenants`: the only
    ones whose jobs it sees and changes; None: all of them. `account` stays the same whatever its
    name becomes; None: the name is the account."""

    name: str
    roles: frozenset[Role] = frozenset()
    tenants: frozenset[str] | None = frozenset()
    account: str | None = None

    @property
    def stored_name(self) -> str:
        """Under which name the keys of its requests are stored."""
        return self.name if self.account is None else self.account


def local_principal(name: str) -> Principal:
    """The person at a station without accounts, who may do everything. A stored name is made
    visible, never refused: the station has to start."""
    name = visible(name, OPERATOR.most)
    return Principal(name, frozenset({Role.ADMINISTRATOR}), tenants=None, account=LOCAL)
