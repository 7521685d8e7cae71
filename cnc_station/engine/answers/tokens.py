"""Answers about tokens."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain import checks, limits, permissions
from cnc_station.engine.domain.checks import refuse
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.principal import Principal
from cnc_station.engine.domain.tokens import (
    DAY_MS,
    SIGN_ON_MS,
    overlap_errors,
    service_token_errors,
)
from cnc_station.engine.store import tenant_rows as store_tenants
from cnc_station.engine.store import tokens as store
from cnc_station.engine.views.tokens import IssuedToken, TenantRow, TokenBearer, TokenRow

MOST_TENANT = 80  # characters of its name


async def log_in(
    context: AnswerContext, principal: Principal, command: commands.LogIn
) -> IssuedToken:
    """See `LogIn`."""
    signed_on = await context.accounts.sign_on(command.credentials, principal)
    assert signed_on.account_id is not None
    return await context.tokens.issue(signed_on.account_id, SIGN_ON_MS, signed_on.actor)


async def log_out(context: AnswerContext, principal: Principal, command: commands.LogOut) -> None:
    """See `LogOut`."""
    bearer = await context.tokens.bearer(command.token, principal)
    revoked = store.RevokeToken(bearer.jti, bearer.principal.actor, signs_off=True)
    await context.writer.write(revoked)
    await context.accounts.refresh()


async def bearer_of(
    context: AnswerContext, principal: Principal, query: queries.BearerOf
) -> TokenBearer:
    """See `BearerOf`."""
    bearer = await context.tokens.bearer(query.token, principal)
    found = context.accounts.now.by_id[bearer.principal.account_id or 0]
    rights = sorted(right.name for right in permissions.rights(bearer.principal))
    return replace(bearer, rights=tuple(rights), language=found.account.language)


WITH_PRINCIPAL: Mapping[type, Any] = {
    commands.LogIn: log_in,
    commands.LogOut: log_out,
    queries.BearerOf: bearer_of,
}


async def issue_token(
    context: AnswerContext, command: commands.IssueToken, actor: str
) -> IssuedToken:
    """See `IssueToken`."""
    refuse(service_token_errors(command.label, command.days))
    await context.accounts.refresh()
    lasts_ms = command.days * DAY_MS
    return await context.tokens.issue(command.account_id, lasts_ms, actor, command.label)


async def revoke_token(context: AnswerContext, command: commands.RevokeToken, actor: str) -> None:
    """See `RevokeToken`."""
    await context.writer.write(store.RevokeToken(command.jti, actor))
    await context.accounts.refresh()


async def rotate_token_key(
    context: AnswerContext, command: commands.RotateTokenKey, actor: str
) -> None:
    """See `RotateTokenKey`."""
    refuse(overlap_errors(command.overlap_s))
    await context.tokens.rotate(round(command.overlap_s * 1000), actor)


def uses_accounts(context: AnswerContext, _query: queries.UsesAccounts) -> bool:
    """See `UsesAccounts`."""
    return context.accounts.now.on


async def list_tokens(context: AnswerContext, query: queries.ListTokens) -> tuple[TokenRow, ...]:
    """See `ListTokens`."""
    await context.accounts.refresh()
    wanted = query.account_id
    rows = context.accounts.tokens.by_jti.values()
    return tuple(row for row in rows if wanted in {None, row.account_id})


async def create_tenant(context: AnswerContext, command: commands.CreateTenant, actor: str) -> int:
    """See `CreateTenant`."""
    refuse(checks.text("name", command.name, MOST_TENANT, wanted=True))
    _check_limits(command.limits)
    created = store_tenants.CreateTenant(command.name, command.limits, actor)
    tenant_id = int(await context.writer.write(created))
    await context.accounts.refresh()
    return tenant_id


async def edit_tenant(context: AnswerContext, command: commands.EditTenant, actor: str) -> None:
    """See `EditTenant`."""
    _check_limits(command.limits)
    edited = store_tenants.EditTenant(command.tenant_id, command.limits, actor)
    await context.writer.write(edited)
    await context.accounts.refresh()


async def list_tenants(
    context: AnswerContext, _query: queries.ListTenants
) -> tuple[TenantRow, ...]:
    """See `ListTenants`."""
    return await context.reader.read(store_tenants.read_tenants)


def _check_limits(given: Mapping[str, str]) -> None:
    try:
        limits.read(given)
    except ValueError as error:
        raise InvalidInput(FieldError("limits", str(error))) from None
