"""Every table of the house in one import: migrations and tests read Base.metadata through it."""

import core.audit
import core.conversation
import core.queues  # noqa: F401
