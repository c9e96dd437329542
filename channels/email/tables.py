"""What the e-mail channel remembers: how far each IMAP folder was read."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base


class MailboxPosition(Base):
    """The last mail of a folder that was stored, with all before it. It holds for one UIDVALIDITY only."""

    __tablename__ = "mailbox_position"

    account: Mapped[str] = mapped_column(primary_key=True)
    folder: Mapped[str] = mapped_column(primary_key=True)
    validity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[datetime] = mapped_column(UTC)
