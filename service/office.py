"""The office as ticketing sees it, from the settings and the preset."""

from service.settings import Settings
from ticketing.office import Office, Tell, Way
from ticketing.preset import load_preset
from ticketing.staff import Person


def make_office(settings: Settings, tell: Tell) -> Office:
    """Misconfigured when the preset or a limit cannot be read."""
    preset = load_preset(settings.office.preset)
    own, countersigned = settings.tickets.self_approval, settings.tickets.decline_countersigned
    return Office(
        name=settings.office.name or preset.title,
        preset=preset,
        tell=tell,
        self_approval=preset.self_approval if own is None else own,
        decline_countersigned=preset.decline_countersigned if countersigned is None else countersigned,
        close_after=settings.tickets.close_after,
        archive_after=settings.tickets.archive_after,
        satisfied_from=settings.survey.satisfied_from,
        public_url=settings.public_url,
        people=tuple(
            Person(name, frozenset(token.role), token.department) for name, token in settings.api.tokens.items()
        ),
        ways=tuple(_make_way(settings, number) for number in range(len(settings.staff.notify))),
    )


def _make_way(settings: Settings, number: int) -> Way:
    """A webhook's address is a secret: it is called by its place in the list."""
    entry = settings.staff.notify[number]
    if entry.kind == "webhook":
        return Way("webhook", f"webhook-{number + 1}", str(number + 1), frozenset(entry.roles))
    account = next((name for name, box in settings.email.mailboxes.items() if box.smtp_host), "")
    return Way("mail", entry.to, account, frozenset(entry.roles))
