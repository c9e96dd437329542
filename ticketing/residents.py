"""Who turns to the office: known by his conversation, by the address that is given, or new; and what he says of himself."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import conversation as conversations
from core.conversation import Conversation, Resident
from core.errors import Invalid
from core.message import Address
from ticketing.bodies import ResidentBody


async def find(
    session: AsyncSession,
    body: ResidentBody,
    now: datetime,
    resident_id: int | None,
    conversation_id: int | None,
) -> tuple[Resident, int | None]:
    """The resident a conversation knows, or the one whose address is given, or a new one."""
    if resident_id is not None:
        resident = await session.get_one(Resident, resident_id)
    elif body.address:
        conversation = await _conversation_of(session, body.address, now)
        conversation_id = conversation.id
        resident = await session.get_one(Resident, conversation.resident_id)
    else:
        resident = await conversations.add_resident(session, now, kind=body.kind)
    learn(session, resident, body)
    await session.flush()
    return resident, conversation_id


async def _conversation_of(session: AsyncSession, text: str, now: datetime) -> Conversation:
    """The newest conversation with this address, whatever account it is on; a new one without account else."""
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise Invalid(f"resident.address: {error}", "resident.address") from None
    found = await session.scalar(
        select(Conversation).where(Conversation.address == str(address)).order_by(Conversation.id.desc()).limit(1)
    )
    return found or await conversations.find_or_open(session, address, "", now)


def learn(session: AsyncSession, resident: Resident, body: ResidentBody) -> None:
    """Keep what was said about the person; nothing known is overwritten by nothing."""
    resident.name = body.name or resident.name
    resident.email = body.email or resident.email
    resident.kind = body.kind if body.kind != "person" else resident.kind or "person"
    if body.phone:
        resident.phone = body.phone
        keys = session.get_bind().dialect.huiyin_keys  # type: ignore[attr-defined]
        resident.phone_digest = keys.digest(body.phone)
    if body.on_behalf_of:
        resident.on_behalf_of = body.on_behalf_of.model_dump(exclude_none=True)
