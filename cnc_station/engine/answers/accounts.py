"""Answers about accounts, and signing on."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain import permissions
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.accounts import Account, Proof, login_key, secret_errors
from cnc_station.engine.domain.checks import refuse
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput, NotSignedOn
from cnc_station.engine.domain.principal import LOCAL, Principal, Role
from cnc_station.engine.store import accounts as store
from cnc_station.engine.store.queries import audit
from cnc_station.engine.views.accounts import AccountRow, Here, Person, SignedOn
from cnc_station.engine.views.audit import AuditEntry


async def sign_on(
    context: AnswerContext, principal: Principal, command: commands.SignOn
) -> SignedOn:
    """See `SignOn`."""
    known = context.accounts
    signed_on = await known.sign_on(command.credentials, principal)
    assert signed_on.account_id is not None
    return SignedOn(signed_on, _row(known.now.by_id[signed_on.account_id]))


async def sign_off(
    context: AnswerContext, principal: Principal, _command: commands.SignOff
) -> None:
    """See `SignOff`."""
    if principal.account_id is not None:
        await context.writer.write(store.RecordSignOn(t.SIGNED_OFF, principal.actor))


async def change_own_secret(
    context: AnswerContext, principal: Principal, command: commands.ChangeOwnSecret
) -> None:
    """See `ChangeOwnSecret`."""
    if principal.account_id is None:
        raise Conflict("Nobody is signed on.")
    proven = await context.accounts.sign_on(command.present, principal)
    if proven.account_id != principal.account_id:
        raise NotSignedOn("These are the credentials of somebody else.")
    await _set_secret(context, principal.account_id, command.proof, command.secret, principal.actor)


async def who_is_here(
    context: AnswerContext, principal: Principal, _query: queries.WhoIsHere
) -> Here:
    """See `WhoIsHere`."""
    found = context.accounts.now.by_id.get(principal.account_id or 0)
    return Here(
        context.accounts.now.on,
        principal.name,
        found is not None or principal.account == LOCAL,
        ", ".join(sorted(principal.roles)),
        None if principal.tenants is None else tuple(sorted(principal.tenants)),
        tuple(sorted(right.name for right in permissions.rights(principal))),
        "" if found is None else found.account.language,
    )


async def turn_on(context: AnswerContext, command: commands.TurnOnAccounts, actor: str) -> int:
    """See `TurnOnAccounts`."""
    await context.accounts.refresh()
    if command.first is None:
        await _write(context, store.SwitchAccounts(on=True, actor=actor))
        return 0
    first = command.first.validated()
    if first.role is not Role.ADMINISTRATOR or first.tenants is not None or not first.enabled:
        raise InvalidInput(FieldError("role", "the first account must be an administrator of all"))
    hashes, _ = await _hashed(context, first, {Proof.PASSWORD: command.password})
    created = await _write(context, store.CreateAccount(first, hashes, actor, turn_on=True))
    return int(created)


async def turn_off(context: AnswerContext, _command: commands.TurnOffAccounts, actor: str) -> None:
    """See `TurnOffAccounts`."""
    await _write(context, store.SwitchAccounts(on=False, actor=actor))


async def create_account(
    context: AnswerContext, command: commands.CreateAccount, actor: str
) -> int:
    """See `CreateAccount`."""
    account = command.account.validated()
    hashes, pin_key = await _hashed(context, account, command.secrets)
    created = await _write(context, store.CreateAccount(account, hashes, actor, pin_key=pin_key))
    return int(created)


async def edit_account(context: AnswerContext, command: commands.EditAccount, actor: str) -> None:
    """See `EditAccount`."""
    account = command.account.validated()
    edit = store.EditAccount(command.account_id, account, actor, command.version)
    await _write(context, edit)


async def remove_account(
    context: AnswerContext, command: commands.RemoveAccount, actor: str
) -> None:
    """See `RemoveAccount`."""
    await _write(context, store.RemoveAccount(command.account_id, actor))


async def set_secret(context: AnswerContext, command: commands.SetSecret, actor: str) -> None:
    """See `SetSecret`."""
    await _set_secret(context, command.account_id, command.proof, command.secret, actor)


async def reset_password(
    context: AnswerContext, command: commands.ResetPassword, actor: str
) -> None:
    """See `ResetPassword`."""
    await context.accounts.refresh()
    wanted = login_key(command.login)
    for found in context.accounts.now.by_id.values():
        if wanted in {login_key(found.account.name), login_key(found.account.email) or None}:
            why = command.reason or "reset by the owner of the station's files"
            await _set_secret(context, found.id, Proof.PASSWORD, command.secret, actor, why)
            return
    raise InvalidInput(FieldError("login", "there is no such account"))


async def who_may_sign_on(
    context: AnswerContext, _query: queries.WhoMaySignOn
) -> tuple[Person, ...]:
    """See `WhoMaySignOn`."""
    people = (
        Person(one.account.name, one.account.role, tuple(one.hashes))
        for one in context.accounts.now.by_id.values()
        if one.account.enabled
    )
    return tuple(sorted(people, key=lambda person: person.name.casefold()))


async def list_accounts(
    context: AnswerContext, _query: queries.ListAccounts
) -> tuple[AccountRow, ...]:
    """See `ListAccounts`."""
    rows = map(_row, context.accounts.now.by_id.values())
    return tuple(sorted(rows, key=lambda row: row.account.name.casefold()))


async def account_by_id(context: AnswerContext, query: queries.AccountById) -> AccountRow | None:
    """See `AccountById`."""
    found = context.accounts.now.by_id.get(query.account_id)
    return None if found is None else _row(found)


async def audit_trail(context: AnswerContext, query: queries.AuditTrail) -> tuple[AuditEntry, ...]:
    """See `AuditTrail`."""
    look = partial(audit.audit_trail, chosen=query.chosen, before=query.before, limit=query.limit)
    return await context.reader.read(look)


async def _hashed(
    context: AnswerContext, account: Account, secrets: Mapping[Proof, str]
) -> tuple[Mapping[Proof, str], str]:
    """Return the hashes of new secrets, and the name of the key of PINs if it is new."""
    given = {Proof(proof): secret for proof, secret in secrets.items() if secret}
    if not given:
        raise InvalidInput(FieldError("password", "is missing: or give a PIN or a badge"))
    names = (account.name, account.email, account.email.partition("@")[0])
    refuse(error for proof, text in given.items() for error in secret_errors(proof, text, names))
    pin_key = ""
    for proof in given:
        pin_key = await context.accounts.need_pin_key(proof, make=True) or pin_key
    make = context.accounts.hashes.make
    return {proof: await make(proof, text) for proof, text in given.items()}, pin_key


async def _set_secret(
    context: AnswerContext, account_id: int, proof: Proof, secret: str, actor: str, why: str = ""
) -> None:
    await context.accounts.refresh()
    found = context.accounts.now.by_id.get(account_id)
    if found is None:
        raise Conflict(f"There is no account {account_id}.")
    hashes: Mapping[Proof, str] = {}
    pin_key = ""
    if secret:
        hashes, pin_key = await _hashed(context, found.account, {proof: secret})
    await _write(
        context,
        store.SetSecret(account_id, proof, hashes.get(proof), actor, pin_key=pin_key, why=why),
    )


async def _write(context: AnswerContext, command: store.AccountCommand) -> Any:
    """Write a change, and know it at once at this station."""
    written = await context.writer.write(command)
    await context.accounts.refresh()
    return written


def _row(one: store.StoredAccount) -> AccountRow:
    return AccountRow(
        one.id, one.version, one.account, tuple(one.hashes), one.created_at, one.signed_on_at
    )
