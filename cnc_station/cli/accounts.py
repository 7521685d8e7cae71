"""`user` and `accounts`: who may use the station, and the tokens of programs."""

from dataclasses import replace
from typing import Any

from cnc_station.cli.client import client
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import clock, print_json, print_table, say
from cnc_station.cli.sign_on import new_secret
from cnc_station.engine.commands import (
    CreateAccount,
    EditAccount,
    IssueToken,
    RemoveAccount,
    ResetPassword,
    RevokeToken,
    SetSecret,
    TurnOffAccounts,
    TurnOnAccounts,
)
from cnc_station.engine.domain.accounts import Account, Proof, login_key
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import ListAccounts, ListTokens
from cnc_station.engine.views.accounts import AccountRow


async def turn_on(call: Call) -> int:
    """Use accounts, beginning with a first administrator, or again those that are stored."""
    args = call.args
    first, password = None, ""
    if args.name is not None:
        first = Account(args.name, Role.ADMINISTRATOR, email=args.email or "")
        password = new_secret(args.name, from_stdin=args.stdin)
    async with client(call.config) as door:
        account_id = await door.execute(TurnOnAccounts(first, password))
    return _done(call, account_id, "Accounts are on.")


async def turn_off(call: Call) -> int:
    """Let everybody do everything again."""
    async with client(call.config) as door:
        await door.execute(TurnOffAccounts())
    return _done(call, 0, "Accounts are off; they stay stored.")


async def show_list(call: Call) -> int:
    """Print the accounts."""
    async with client(call.config) as door:
        rows = await door.ask(ListAccounts())
    if call.json:
        print_json({"users": rows})
        return Exit.OK
    print_table(
        ["ID", "NAME", "ROLE", "E-MAIL", "CUSTOMERS", "SIGNS ON WITH", "STATE", "LAST SIGNED ON"],
        [_line(row, call.config.time_zone) for row in rows],
        right="ID",
    )
    return Exit.OK


def _line(row: AccountRow, zone: str) -> list[str]:
    account = row.account
    return [
        str(row.id),
        account.name,
        account.role,
        account.email,
        "all" if account.tenants is None else ", ".join(account.tenants),
        ", ".join(row.proofs),
        "enabled" if account.enabled else "disabled",
        clock(row.signed_on_at, zone),
    ]


async def add(call: Call) -> int:
    """Add an account with a password."""
    name = call.args.name
    account = Account(**{"name": name, "role": Role.OPERATOR, **_given(call)})
    password = new_secret(name, from_stdin=call.args.stdin)
    async with client(call.config) as door:
        account_id = await door.execute(CreateAccount(account, {Proof.PASSWORD: password}))
    return _done(call, account_id, f"User {name} added.")


async def edit(call: Call) -> int:
    """Change what was given of an account."""
    return await _edit(call, "changed", **_given(call))


async def enable(call: Call) -> int:
    """Admit an account again."""
    return await _edit(call, "enabled", enabled=True)


async def disable(call: Call) -> int:
    """Admit an account no more; its tokens end."""
    return await _edit(call, "disabled", enabled=False)


async def password(call: Call) -> int:
    """Replace a password. With `--reset` as the owner of the station's files."""
    args = call.args
    secret = new_secret(args.name, from_stdin=args.stdin)
    async with client(call.config) as door:
        if args.reset:
            await door.execute(ResetPassword(args.name, secret))
            return _done(call, 0, f"The password of {args.name} is replaced.")
        row = await _found(door, args.name)
        await door.execute(SetSecret(row.id, Proof.PASSWORD, secret))
    return _done(call, row.id, f"The password of {args.name} is replaced.")


async def remove(call: Call) -> int:
    """Remove an account; its jobs and events stay."""
    async with client(call.config) as door:
        row = await _found(door, call.args.name)
        await door.execute(RemoveAccount(row.id))
    return _done(call, row.id, f"User {call.args.name} removed.")


async def token(call: Call) -> int:
    """Issue a token for a program and print it."""
    args = call.args
    async with client(call.config) as door:
        row = await _found(door, args.name)
        issued = await door.execute(IssueToken(row.id, args.label, args.days))
    if call.json:
        print_json(issued)
    else:
        end = clock(issued.expires_at, call.config.time_zone)
        say(f"Keep this token, it is not shown again. It ends {end}.")
        say(issued.token)
    return Exit.OK


async def tokens(call: Call) -> int:
    """Print the tokens that are accepted, of one account or of all."""
    async with client(call.config) as door:
        names = {row.id: row.account.name for row in await door.ask(ListAccounts())}
        wanted = (await _found(door, call.args.name)).id if call.args.name else None
        rows = await door.ask(ListTokens(wanted))
    if call.json:
        print_json({"tokens": rows})
        return Exit.OK
    zone = call.config.time_zone
    print_table(
        ["ID", "USER", "LABEL", "ISSUED", "ENDS"],
        [
            [
                row.jti,
                names.get(row.account_id, ""),
                row.label or "signed on",
                clock(row.issued_at, zone),
                clock(row.expires_at, zone),
            ]
            for row in rows
        ],
    )
    return Exit.OK


async def revoke(call: Call) -> int:
    """End a token before it expires."""
    async with client(call.config) as door:
        await door.execute(RevokeToken(call.args.jti))
    return _done(call, 0, f"Token {call.args.jti} revoked.")


async def _edit(call: Call, what: str, **changed: Any) -> int:
    async with client(call.config) as door:
        row = await _found(door, call.args.name)
        account = replace(row.account, **changed)
        await door.execute(EditAccount(row.id, account, row.version))
    return _done(call, row.id, f"User {call.args.name} {what}.")


def _given(call: Call) -> dict[str, Any]:
    """The fields of an account among the arguments."""
    args = call.args
    found = {name: getattr(args, name) for name in ("email", "language")}
    found["role"] = None if args.role is None else Role(args.role)
    found["name"] = getattr(args, "new_name", None)
    given = {name: value for name, value in found.items() if value is not None}
    if args.tenant:
        given["tenants"] = tuple(args.tenant)
    if getattr(args, "all_tenants", False):
        given["tenants"] = None
    return given


async def _found(door: Asks, name: str) -> AccountRow:
    for row in await door.ask(ListAccounts()):
        if login_key(name) in {login_key(row.account.name), login_key(row.account.email) or None}:
            return row
    raise Conflict(f"There is no user {name}.")


def _done(call: Call, account_id: int, sentence: str) -> int:
    if call.json:
        print_json({"id": account_id, "result": sentence})
    else:
        say(sentence)
    return Exit.OK
