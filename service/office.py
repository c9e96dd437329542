"""The office as ticketing sees it, from the settings and the preset."""

from service.settings import Settings
from ticketing.office import Office, Tell
from ticketing.preset import load_preset


def make_office(settings: Settings, tell: Tell) -> Office:
    """Misconfigured when the preset or a limit cannot be read."""
    preset = load_preset(settings.office.preset)
    own = settings.tickets.self_approval
    return Office(
        name=settings.office.name or preset.title,
        preset=preset,
        tell=tell,
        self_approval=preset.self_approval if own is None else own,
        close_after=settings.tickets.close_after,
        archive_after=settings.tickets.archive_after,
        satisfied_from=settings.survey.satisfied_from,
        public_url=settings.public_url,
    )
