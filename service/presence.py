"""Who answers a resident now: the assistant, or a person by name; and that somebody is writing."""

from typing import Any, Protocol, runtime_checkable

from sqlalchemy import select

from core.conversation import Conversation, Holder
from core.message import Address
from service.runtime import Runtime


@runtime_checkable
class Shows(Protocol):
    """A channel on which a resident can see that somebody is writing."""

    async def typing(self, recipient: str) -> None:
        """Show it for a few seconds."""


async def of_session(runtime: Runtime, session_name: str) -> dict[str, Any]:
    """For a session of the web chat: `{"holder": assistant·staff, "name": …}`; a name once somebody has taken it."""
    query = select(Conversation.holder, Conversation.taken_by).where(
        Conversation.address == f"webchat:{session_name}", Conversation.account == "web"
    )
    async with runtime.db.reading() as session:
        row = (await session.execute(query)).first()
    holder, name = row if row else (Holder.ASSISTANT, None)
    return {"holder": str(holder), "name": name}


async def show_typing(runtime: Runtime, conversation: Conversation) -> None:
    """A member of staff is writing to this resident."""
    address = Address.parse(conversation.address)
    channel = runtime.channels.get((address.channel, conversation.account))
    if isinstance(channel, Shows):
        await channel.typing(address.value)
