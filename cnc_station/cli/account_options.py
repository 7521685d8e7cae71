"""The arguments of `user` and `accounts`."""

from argparse import ArgumentParser
from typing import Any

from cnc_station.cli.alert_options import Command
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.domain.tokens import DEFAULT_DAYS, MOST_DAYS

_STDIN = "read the password from the first line of stdin"


def add_users(command: Command, user: Any) -> None:
    """Add the commands of `user`."""

    def of(name: str, about: str) -> ArgumentParser:
        made = command(name, f"accounts:{name}", about, of=user)
        made.add_argument("name", metavar="NAME", help="its name or e-mail address")
        return made

    command("list", "accounts:show_list", "List the users.", of=user)
    add = of("add", "Add a user; its password is asked for.")
    add.add_argument("--stdin", action="store_true", help=_STDIN)
    edit = of("edit", "Change what is given of a user.")
    edit.add_argument("--name", dest="new_name", metavar="NAME", help="its new name")
    edit.add_argument("--all-customers", dest="all_tenants", action="store_true")
    for one in (add, edit):
        one.add_argument("--role", choices=[*map(str, Role)])
        one.add_argument("--email", metavar="ADDRESS")
        one.add_argument("--language", choices=["en", "de"])
        about = "see the jobs of this customer only; several are allowed"
        one.add_argument("--customer", dest="tenant", action="append", metavar="NAME", help=about)
    role = command("role", "accounts:edit", "Change the role of a user.", of=user)
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=[*map(str, Role)])
    role.set_defaults(email=None, language=None, tenant=None)
    password = of("password", "Replace the password of a user.")
    password.add_argument("--stdin", action="store_true", help=_STDIN)
    about = "a lost one, as the owner of the station's files"
    password.add_argument("--reset", action="store_true", help=about)
    of("disable", "Admit a user no more.")
    of("enable", "Admit a user again.")
    of("remove", "Remove a user; its jobs and events stay.")
    token = of("token", "Issue a token for a program that acts as a user.")
    token.add_argument("label", metavar="LABEL", help="what it is for")
    about = f"how long it is valid, at most {MOST_DAYS} ({DEFAULT_DAYS})"
    token.add_argument("--days", type=int, default=DEFAULT_DAYS, help=about)
    tokens = command("tokens", "accounts:tokens", "List the tokens.", of=user)
    tokens.add_argument("name", metavar="NAME", nargs="?", help="of this user only")
    revoke = command("revoke", "accounts:revoke", "End a token.", of=user)
    revoke.add_argument("jti", metavar="ID", help="as `user tokens` lists it")


def add_switch(command: Command, accounts: Any) -> None:
    """Add the commands of `accounts`."""
    about = "Use accounts: with a first administrator, or again those that are stored."
    on = command("on", "accounts:turn_on", about, of=accounts)
    on.add_argument("name", metavar="NAME", nargs="?", help="of the first administrator")
    on.add_argument("--email", metavar="ADDRESS")
    on.add_argument("--stdin", action="store_true", help=_STDIN)
    command("off", "accounts:turn_off", "Use no accounts; they stay stored.", of=accounts)
