"""The close gate: no ticket is closed without a reply that reached the resident. The database's half."""

from sqlalchemy import DDL, event

from ticketing.model import Ticket

REFUSAL = "close refused: no reply of this round was delivered"

# What counts as delivered: the same rule as ticketing.delivery.is_delivered. {t} is the ticket's row.
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
            ddl = DDL(statement.replace("%", "%%")).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
            event.listen(Ticket.metadata, "after_create", ddl)


attach()

