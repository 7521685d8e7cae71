"""Alerts, the rules that tell them, and what was told."""

import json
import time

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = (
    "machine.alarm",
    "machine.unreachable",
    "job.interrupted",
    "job.needs_attention",
    "station.lost",
    "schedule.overrun",
    "schedule.missed",
    "delivery.dead",
)
_FIRST_RULES = (
    {"name": "Faults in the window", "channel": "window", "kinds": _AT_ONCE},
    {"name": "Sound for faults", "channel": "sound", "kinds": _AT_ONCE},
    {
        "name": "Waiting machines in the window",
        "channel": "window",
        "kinds": ["machine.waiting"],
        "after_s": 120.0,
    },
    {
        "name": "Sound for waiting machines",
        "channel": "sound",
        "kinds": ["machine.waiting"],
        "after_s": 120.0,
    },
)


def upgrade() -> None:
    """Create the tables, and the rules of a new shop."""
    _create_alert()
    _create_rule()
    _create_step()
    _create_message()


def _create_alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("machine_id", Id),
        sa.Column("job_id", Id),
        sa.Column("tenant", sa.Text()),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("acknowledged_by", sa.Text()),
        sa.Column("acknowledged_reason", sa.Text()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    is_open, ended = sa.text("ended_at IS NULL"), sa.text("ended_at IS NOT NULL")
    op.create_index(
        "alert_open", "alert", ["key"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index(
        "alert_ended", "alert", ["ended_at"], sqlite_where=ended, postgresql_where=ended
    )
    op.create_index("alert_machine", "alert", ["machine_id", "id"])


def _create_rule() -> None:
    table = op.create_table(
        "alert_rule",
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.Text()),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    made = {"version": 1, "created_at": time.time_ns() // 1_000_000, "created_by": "CNC Station"}
    op.bulk_insert(table, [{**made, "rule": json.dumps(rule)} for rule in _FIRST_RULES])


def _create_step() -> None:
    op.create_table(
        "alert_step",
        sa.Column("alert_id", Id, autoincrement=False, nullable=False),
        sa.Column("rule_id", Id, autoincrement=False, nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "rule_id"),
    )
    undone = sa.text("NOT done")
    op.create_index(
        "alert_step_undone",
        "alert_step",
        ["alert_id"],
        sqlite_where=undone,
        postgresql_where=undone,
    )


def _create_message() -> None:
    op.create_table(
        "alert_message",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("alert_id", Id),
        sa.Column("rule_id", Id, nullable=False),
        sa.Column("rule_name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sound", sa.Text(), nullable=False),
        sa.Column("delivery_id", Id),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text()),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("alert_message_alert", "alert_message", ["alert_id"])
