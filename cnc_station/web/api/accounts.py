"""The routes about signing on, accounts and tokens."""

from collections.abc import Sequence
from dataclasses import replace

from cnc_station.engine.commands import (
    CreateAccount,
    EditAccount,
    IssueToken,
    LogIn,
    LogOut,
    RemoveAccount,
    RevokeToken,
    SetSecret,
)
from cnc_station.engine.queries import (
    AccountById,
    BearerOf,
    ListAccounts,
    ListTokens,
    WhoIsHere,
)
from cnc_station.engine.views.accounts import AccountRow
from cnc_station.web.api.account_values import (
    LoginIn,
    LoginOut,
    MeOut,
    NewTokenIn,
    NewTokenOut,
    TokenOut,
    TokensOut,
    UserFields,
    UserIn,
    UserOut,
    UsersOut,
)
from cnc_station.web.api.problems import Problem, not_found
from cnc_station.web.api.route import Call, Reply, Route, check_version, etag
from cnc_station.web.api.values import PageIn


async def _log_in(call: Call) -> Reply:
    """Sign on and get a token. It is valid for 12 hours."""
    issued = await call.door.execute(LogIn(call.body.credentials()))
    bearer = await call.door.ask(BearerOf(issued.token))
    by = bearer.principal
    user = MeOut(
        accounts=True,
        name=by.name,
        signed_on=True,
        role=", ".join(sorted(by.roles)),
        tenants=None if by.tenants is None else sorted(by.tenants),
        rights=list(bearer.rights),
        language=bearer.language,
    )
    return Reply(LoginOut(token=issued.token, expires_at=issued.expires_at, user=user), secret=True)


async def _log_out(call: Call) -> Reply:
    """End the token that comes with this request."""
    if call.token is None:
        raise Problem(409, "Nobody is signed on.")
    await call.door.execute(LogOut(call.token))
    return Reply(None, 204)


async def _me(call: Call) -> Reply:
    return Reply(MeOut.of(await call.door.ask(WhoIsHere())))


async def _user(call: Call, account_id: int) -> AccountRow:
    row = await call.door.ask(AccountById(account_id))
    if row is None:
        raise not_found(f"user {account_id}")
    return row


async def _list(call: Call) -> Reply:
    query: PageIn = call.query
    rows = await call.door.ask(ListAccounts())
    users = [UserOut.of(row) for row in query.of(rows)]
    return Reply(UsersOut(users=users, **query.told(len(rows))))


async def _create(call: Call) -> Reply:
    command = CreateAccount(call.body.account(), call.body.secrets())
    account_id = await call.door.execute(command)
    row = await _user(call, account_id)
    headers = {"Location": f"/api/v1/users/{account_id}", **etag(row.version)}
    return Reply(UserOut.of(row), 201, headers)


async def _show(call: Call) -> Reply:
    row = await _user(call, call.path["id"])
    return Reply(UserOut.of(row), headers=etag(row.version))


async def _edit(call: Call) -> Reply:
    """Change fields of an account. Secrets that are given replace those it has; its tokens end
    then."""
    row = await _user(call, call.path["id"])
    check_version(call, row.version)
    body: UserFields = call.body
    if given := body.given():
        changed = replace(row.account, **given)
        await call.door.execute(EditAccount(row.id, changed, row.version))
    for proof, secret in body.secrets().items():
        await call.door.execute(SetSecret(row.id, proof, secret))
    row = await _user(call, row.id)
    return Reply(UserOut.of(row), headers=etag(row.version))


async def _remove(call: Call) -> Reply:
    """Remove an account; its jobs and events stay."""
    row = await _user(call, call.path["id"])
    check_version(call, row.version)
    await call.door.execute(RemoveAccount(row.id))
    return Reply(None, 204)


async def _issue(call: Call) -> Reply:
    """Issue a token for a program that acts as this account."""
    row = await _user(call, call.path["id"])
    issued = await call.door.execute(IssueToken(row.id, call.body.label, call.body.days))
    return Reply(NewTokenOut.of(issued), 201, secret=True)


async def _tokens(call: Call) -> Reply:
    query: PageIn = call.query
    wanted = (await _user(call, call.path["id"])).id if "id" in call.path else None
    rows = await call.door.ask(ListTokens(wanted))
    tokens = [TokenOut.of(row) for row in query.of(rows)]
    return Reply(TokensOut(tokens=tokens, **query.told(len(rows))))


async def _revoke(call: Call) -> Reply:
    """End a token before it expires."""
    jti = call.path["jti"]
    if jti not in {row.jti for row in await call.door.ask(ListTokens())}:
        raise not_found(f"token {jti}")
    await call.door.execute(RevokeToken(jti))
    return Reply(None, 204)


ROUTES: Sequence[Route] = (
    Route(
        "POST",
        "/auth/login",
        "Sign on",
        LogIn,
        _log_in,
        {200: LoginOut},
        body=(LoginIn,),
        refuses=(409, 429),
    ),
    Route("POST", "/auth/logout", "Sign off", LogOut, _log_out, {204: None}, refuses=(409,)),
    Route("GET", "/auth/me", "Show the account of the token", WhoIsHere, _me, {200: MeOut}),
    Route(
        "POST",
        "/users",
        "Add a user",
        CreateAccount,
        _create,
        {201: UserOut},
        body=(UserIn,),
        creates=True,
        confidential=True,
    ),
    Route("GET", "/users", "List users", ListAccounts, _list, {200: UsersOut}, query=PageIn),
    Route("GET", "/users/{id}", "Show a user", AccountById, _show, {200: UserOut}, refuses=(404,)),
    Route(
        "PATCH",
        "/users/{id}",
        "Change a user",
        EditAccount,
        _edit,
        {200: UserOut},
        body=(UserFields,),
        conditional=True,
        refuses=(404, 409, 412),
    ),
    Route(
        "DELETE",
        "/users/{id}",
        "Remove a user",
        RemoveAccount,
        _remove,
        {204: None},
        conditional=True,
        refuses=(404, 409, 412),
    ),
    Route(
        "POST",
        "/users/{id}/tokens",
        "Issue a token for a program",
        IssueToken,
        _issue,
        {201: NewTokenOut},
        body=(NewTokenIn,),
        refuses=(404, 409),
    ),
    Route(
        "GET",
        "/users/{id}/tokens",
        "List the tokens of a user",
        ListTokens,
        _tokens,
        {200: TokensOut},
        query=PageIn,
        refuses=(404,),
    ),
    Route("GET", "/tokens", "List tokens", ListTokens, _tokens, {200: TokensOut}, query=PageIn),
    Route(
        "DELETE",
        "/tokens/{jti}",
        "Revoke a token",
        RevokeToken,
        _revoke,
        {204: None},
        refuses=(404, 409),
    ),
)
