"""Accounts, tenants, tokens and limits; which role a person had in an event, and from where."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT, _TIME, _WHOLE, _SWITCH = sa.Text(), sa.BigInteger(), sa.Integer(), sa.Boolean()


def _filled(name: str, kind: object) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)  # type: ignore[arg-type]  # a type of SQL


def _partial(name: str, table: str, column: str, where: str, *, unique: bool) -> None:
    chosen = sa.text(where)
    op.create_index(
        name, table, [column], unique=unique, sqlite_where=chosen, postgresql_where=chosen
    )


def upgrade() -> None:
    """A station without accounts stays without: nothing is filled in."""
    for name in ("role", "origin"):
        op.add_column("event", sa.Column(name, sa.Text()))
    op.add_column("job", sa.Column("account_id", _ID))
    open_of_account = "account_id IS NOT NULL AND finished_at IS NULL"
    _partial("job_of_account", "job", "account_id", open_of_account, unique=False)
    _accounts()
    _tokens()
    op.create_table(
        "tenant",
        sa.Column("id", _ID, primary_key=True),
        _filled("version", _WHOLE),
        sa.Column("name", _TEXT, nullable=False, unique=True),
        _filled("limits", _TEXT),
        _filled("created_at", _TIME),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "counted_attempt",
        sa.Column("id", _ID, primary_key=True),
        _filled("account_id", _ID),
        _filled("limited", _TEXT),
        _filled("at", _TIME),
        sqlite_autoincrement=True,
    )
    op.create_index("counted_attempt_of", "counted_attempt", ["account_id", "limited", "at"])


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", _ID, primary_key=True),
        _filled("version", _WHOLE),
        *(_filled(name, _TEXT) for name in ("name", "name_key", "email", "email_key", "role")),
        sa.Column("tenants", _TEXT),
        _filled("enabled", _SWITCH),
        _filled("language", _TEXT),
        *(sa.Column(name, _TEXT) for name in ("password", "pin", "badge")),
        _filled("created_at", _TIME),
        _filled("changed_at", _TIME),
        sa.Column("signed_on_at", _TIME),
        _filled("removed", _SWITCH),
        sqlite_autoincrement=True,
    )
    _partial("account_name", "account", "name_key", "NOT removed", unique=True)
    with_email = "NOT removed AND email_key <> ''"
    _partial("account_email", "account", "email_key", with_email, unique=True)
    _partial("account_badge", "account", "badge", "badge IS NOT NULL", unique=True)
    op.create_table(
        "failed_sign_on",
        sa.Column("scope", _TEXT, primary_key=True),
        _filled("failures", _WHOLE),
        _filled("last_at", _TIME),
    )
    op.create_index("failed_sign_on_at", "failed_sign_on", ["last_at"])


def _tokens() -> None:
    op.create_table(
        "token",
        sa.Column("jti", _TEXT, primary_key=True),
        sa.Column("account_id", _ID, sa.ForeignKey("account.id"), nullable=False),
        _filled("label", _TEXT),
        _filled("issued_at", _TIME),
        _filled("expires_at", _TIME),
        sa.Column("revoked_at", _TIME),
    )
    op.create_index("token_account", "token", ["account_id"])
    op.create_index("token_expires", "token", ["expires_at"])
    op.create_table(
        "signing_key",
        sa.Column("kid", _TEXT, primary_key=True),
        _filled("secret", _TEXT),
        _filled("created_at", _TIME),
        sa.Column("accepted_until", _TIME),
    )
