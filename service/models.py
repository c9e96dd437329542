"""Every table of the house in one import: migrations and tests read Base.metadata through it."""
# ruff: noqa: F401

import channels.email.tables
import channels.phone
import channels.webchat.tables
import channels.wechat.tables
import core.attachments
import core.audit
import core.conversation
import core.queues
import knowledge_base.tables
import service.claims
import service.idempotency
import service.scenes
import service.second_hearing
import service.sign_in
import ticketing.appointments
import ticketing.calendar_days
import ticketing.canned_replies
import ticketing.clocks
import ticketing.gate
import ticketing.incidents
import ticketing.letters
import ticketing.model
import ticketing.repeats
import ticketing.roster
import ticketing.saved_views
import ticketing.search
import ticketing.slots
import ticketing.staff
import ticketing.staff_notices
import ticketing.staff_numbers
import ticketing.visits
import ticketing.weights
