"""The tables of accounts: people and programs, their attempts to sign on, tenants, tokens, and what
counts against their limits. No secret is stored: hashes only, and the keys that sign tokens."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from cnc_station.engine.store.schema import Id, Time, metadata

account = Table(
    "account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),  # see `domain.accounts.login_key`
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("tenants", Text),  # JSON; NULL: all
    Column("enabled", Boolean, nullable=False),
    Column("language", Text, nullable=False),
    Column("password", Text),  # argon2id
    Column("pin", Text),  # argon2id of its HMAC with the key that is kept apart
    Column("badge", Text),  # HMAC with the key that is kept apart
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
    Column("signed_on_at", Time),
    Column("removed", Boolean, nullable=False),
    sqlite_autoincrement=True,  # the id of a removed account is never used again
)
_present = text("NOT removed")
_with_email = text("NOT removed AND email_key <> ''")
_with_badge = text("badge IS NOT NULL")
for _name, _where, _column in (
    ("account_name", _present, account.c.name_key),
    ("account_email", _with_email, account.c.email_key),
    ("account_badge", _with_badge, account.c.badge),
):
    Index(_name, _column, unique=True, sqlite_where=_where, postgresql_where=_where)

# Wrong attempts in a row. `scope` is a login at a kind of place, or a station.
failed_sign_on = Table(
    "failed_sign_on",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Time, nullable=False),
)
Index("failed_sign_on_at", failed_sign_on.c.last_at)

tenant = Table(
    "tenant",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False, unique=True),
    Column("limits", Text, nullable=False),  # JSON: the limits that differ from the settings
    Column("created_at", Time, nullable=False),
    sqlite_autoincrement=True,
)

# Tokens that were issued and have not expired yet.
token = Table(
    "token",
    metadata,
    Column("jti", Text, primary_key=True),
    Column("account_id", Id, ForeignKey("account.id"), nullable=False),
    Column("label", Text, nullable=False),  # of a service token; "": of a person who signed on
    Column("issued_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("revoked_at", Time),
)
Index("token_account", token.c.account_id)
Index("token_expires", token.c.expires_at)

# The keys that sign tokens in a fleet. The newest one signs; the others are accepted until then.
signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("accepted_until", Time),
)

# One row for each attempt that counts against a rate limit, until it leaves the window.
counted_attempt = Table(
    "counted_attempt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, nullable=False),
    Column("limited", Text, nullable=False),  # the name of the limit
    Column("at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index(
    "counted_attempt_of", counted_attempt.c.account_id, counted_attempt.c.limited,
    counted_attempt.c.at,
)  # fmt: skip
