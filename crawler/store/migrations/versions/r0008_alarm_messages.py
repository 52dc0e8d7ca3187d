"""Alarms become messages of the subscription `operator`, in the outbox that all messages share.

An alarm keeps what is decided about it. What its messages say, and in which message it is, has a table of its own; the
attempts are those of the outbox.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

OPERATOR = "operator"
NEW_NAME = "operator-alerts"
"""What a reader's subscription is called that had the name which is now the built-in one."""


def upgrade() -> None:
    """Move the state of alarms. A notice that was still to be sent stays pending, and the outbox gets it next."""
    op.create_table(
        "alarm_notices",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Integer()),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], name="fk_alarm_notices_alarm_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_alarm_notices_message_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_notices"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alarm_notices_alarm_id", "alarm_notices", ["alarm_id"])
    op.create_index("ix_alarm_notices_message_id", "alarm_notices", ["message_id"])
    # A channel may have such an alarm: its end has to be sent too.
    op.execute(
        "UPDATE alarms SET told_at = last_seen_at"
        " WHERE told_at IS NULL AND (done <> '[]' OR next_try_at IS NOT NULL OR tries > 0)"
    )
    for column in ("done", "tries", "next_try_at", "failure"):
        op.drop_column("alarms", column)
    op.add_column("alarms", sa.Column("topic", sa.Text(), nullable=False, server_default="health"))
    op.add_column("messages", sa.Column("deferred", sa.Boolean(), nullable=False, server_default=sa.false()))
    _rename_reader()


def _rename_reader() -> None:
    """Rename what is stored of a reader's subscription with the built-in name, unless the new name is taken."""
    for table, column in (("subscriptions", "name"), ("messages", "subscription"), ("notices", "subscription")):
        name = sa.column(column, sa.Text)
        taken = sa.select(sa.literal(1)).select_from(sa.table("subscriptions", sa.column("name", sa.Text)))
        if (
            table == "subscriptions"
            and op.get_bind().execute(taken.where(sa.column("name", sa.Text) == NEW_NAME)).first()
        ):
            return
        op.execute(sa.table(table, name).update().where(name == OPERATOR).values({column: NEW_NAME}))
