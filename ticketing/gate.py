"""The close gate: no ticket is closed without a reply that reached the resident. Kept in code and by the database."""

from sqlalchemy import DDL, event, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from core.queues import Outbox, Result
from ticketing.model import Callback, Reply, Ticket

REFUSAL = "close refused: no reply of this round was delivered"

# What counts as delivered, once in SQL for the triggers and once, below, for the code. {t} is the ticket's row.
_DELIVERED = """(
  EXISTS (SELECT 1 FROM outbox o JOIN reply r ON r.id = o.reply_id
           WHERE o.ticket_id = {t}.id AND r.ticket_id = {t}.id AND o.origin = 'reply'
             AND r.round = {t}.round AND r.withdrawn_at IS NULL
             AND (o.result = 'sent' OR (o.result = 'announced' AND o.opened_at IS NOT NULL)))
  OR EXISTS (SELECT 1 FROM callback c JOIN reply r ON r.id = c.reply_id
              WHERE c.ticket_id = {t}.id AND r.ticket_id = {t}.id AND c.round = {t}.round
                AND r.round = {t}.round AND r.withdrawn_at IS NULL AND c.reached)
  OR EXISTS (SELECT 1 FROM reply r
              WHERE r.ticket_id = {t}.id AND r.round = {t}.round
                AND r.withdrawn_at IS NULL AND r.call_turn IS NOT NULL)
)"""
_DELIVERED_NEW = _DELIVERED.format(t="NEW")

# An archived ticket came from a closed one or never needed a reply: it cannot be a way around the gate.
_ARCHIVABLE = "('closed', 'followed_up', 'declined', 'withdrawn', 'merged', 'archived')"

SQLITE = (
    f"""CREATE TRIGGER ticket_close_gate_insert BEFORE INSERT ON ticket
WHEN NEW.state IN ('closed', 'followed_up') AND NOT {_DELIVERED_NEW}
BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    f"""CREATE TRIGGER ticket_close_gate_update BEFORE UPDATE ON ticket
WHEN (NEW.state IN ('closed', 'followed_up') AND OLD.state NOT IN ('closed', 'followed_up')
      AND NOT {_DELIVERED_NEW})
  OR (NEW.state = 'archived' AND OLD.state NOT IN {_ARCHIVABLE})
BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
)
POSTGRESQL = (
    f"""CREATE FUNCTION ticket_close_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state IN ('closed', 'followed_up') AND NOT {_DELIVERED_NEW} THEN
    IF TG_OP = 'INSERT' THEN
      RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'check_violation';
    ELSIF OLD.state NOT IN ('closed', 'followed_up') THEN
      RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.state = 'archived' THEN
    IF OLD.state NOT IN {_ARCHIVABLE} THEN
      RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$""",
    """CREATE TRIGGER ticket_close_gate BEFORE INSERT OR UPDATE ON ticket
FOR EACH ROW EXECUTE FUNCTION ticket_close_gate()""",
)
STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
"""For the migration: what makes the gate, by the name of the dialect."""


def attach() -> None:
    """Make the gate whenever the tables are made."""
    for dialect, statements in STATEMENTS.items():
        for statement in statements:
            ddl = DDL(statement.replace("%", "%%")).execute_if(dialect=dialect)
            event.listen(Ticket.metadata, "after_create", ddl)


attach()


def is_delivered() -> ColumnElement[bool]:
    """The same rule as the triggers', as a condition on Ticket."""
    of_this_round = (Reply.ticket_id == Ticket.id, Reply.round == Ticket.round, Reply.withdrawn_at.is_(None))
    proven = or_(
        Outbox.result == Result.SENT,
        (Outbox.result == Result.ANNOUNCED) & Outbox.opened_at.is_not(None),
    )
    attempt = exists().where(
        Outbox.ticket_id == Ticket.id, Outbox.reply_id == Reply.id, Outbox.origin == "reply", proven, *of_this_round
    )
    call = exists().where(
        Callback.ticket_id == Ticket.id,
        Callback.reply_id == Reply.id,
        Callback.round == Ticket.round,
        Callback.reached.is_(True),
        *of_this_round,
    )
    in_the_call = exists().where(Reply.call_turn.is_not(None), *of_this_round)
    return or_(attempt, call, in_the_call)


async def was_delivered(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether a reply of this ticket's present round reached the resident."""
    await session.flush()
    return await session.scalar(select(Ticket.id).where(Ticket.id == ticket.id, is_delivered())) is not None
