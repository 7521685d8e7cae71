"""The principal of a request: a person or program with its roles and tenants."""

from dataclasses import dataclass
from enum import StrEnum

from cnc_station.engine.domain.admission import OPERATOR
from cnc_station.engine.domain.text_gate import visible

LOCAL = "local"  # the account of everybody at any station without accounts
NOBODY = "nobody signed on"


class Role(StrEnum):
    """A role in the shop."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


class Actor(str):
    """The name in an event, and how its person came to act: the role, and from where (`origin`:
    "window", "command line", "http 192.0.2.7"). `account` is the id of an account; None without
    accounts. A plain text instead is a service that acts by itself."""

    __slots__ = ("account", "origin", "role")

    role: str
    origin: str
    account: int | None

    def __new__(
        cls, name: str, role: str = "", origin: str = "", account: int | None = None
    ) -> "Actor":
        actor = super().__new__(cls, name)
        actor.role, actor.origin, actor.account = role, origin, account
        return actor


@dataclass(frozen=True, slots=True)
class Principal:
    """Bound to a door before any request; every event it causes has its name. `tenants`: the only
    ones whose jobs it sees and changes; None: all of them.

    `account` stays the same whatever its name becomes; None: the name is the account. `account_id`
    is that of a person's account. `origin`: from where it asks. `present`: it stands at the
    machines of this station, which it may always stop. `owner`: it may open the station's files.
    `for_whom`: the person whose single action it permits.
    """

    name: str
    roles: frozenset[Role] = frozenset()
    tenants: frozenset[str] | None = frozenset()
    account: str | None = None
    account_id: int | None = None
    origin: str = ""
    present: bool = False
    owner: bool = False
    for_whom: str = ""

    @property
    def stored_name(self) -> str:
        """Under which name the keys of its requests are stored."""
        if self.account_id is not None:
            return f"account {self.account_id}"
        return self.name if self.account is None else self.account

    @property
    def actor(self) -> Actor:
        """How it stands in events."""
        name = f"{self.name} for {self.for_whom}" if self.for_whom else self.name
        role = ", ".join(sorted(self.roles)) if self.account != LOCAL else ""
        return Actor(name, role, self.origin, self.account_id)


def local_principal(
    name: str, origin: str = "", *, present: bool = False, owner: bool = False
) -> Principal:
    """The person at a station without accounts, who may do everything. A stored name is made
    visible, never refused: the station has to start."""
    return Principal(
        visible(name, OPERATOR.most),
        frozenset({Role.ADMINISTRATOR}),
        tenants=None,
        account=LOCAL,
        origin=origin,
        present=present,
        owner=owner,
    )


def owner_principal(name: str) -> Principal:
    """The owner of a database file that no station uses: accounts cannot keep them from it."""
    return Principal(
        visible(name, OPERATOR.most),
        frozenset({Role.ADMINISTRATOR}),
        tenants=None,
        account="owner of the file",
        origin="command line",
        owner=True,
    )


def bystander(local: Principal) -> Principal:
    """Whoever stands at a station with accounts before anybody signs on: they see the floor, and
    may stop what runs if they are `present`."""
    return Principal(
        NOBODY,
        frozenset({Role.VIEWER}) if local.present else frozenset(),
        tenants=None,
        origin=local.origin,
        present=local.present,
        owner=local.owner,
    )


# What a station reads for all its clients at once, before each gets what it may see.
STATION = Principal("this station", frozenset({Role.VIEWER}), tenants=None, account="this station")
