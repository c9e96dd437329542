"""The guides that come with Huiyin: all there, each whole, none against another."""

from datetime import date

import pytest

from knowledge_base.check import check_guides
from knowledge_base.guide import PRESETS, Guide
from knowledge_base.library import GUIDES, shipped

SLUGS = {
    "property": (
        "property-fee parking indoor-repair public-repair renovation access-card visitors moving waste "
        "noise pets lift water electricity-ebike leak maintenance-fund owners-committee fire-safety "
        "greening lost-parcels tenancy-registration activities heating-gas falling-objects "
        "public-revenue"
    ).split(),
    "hall": (
        "residence-permit id-card birth-household household-transfer marriage divorce social-card "
        "pension medical-insurance remote-medical unemployment housing-fund public-rental minimum-living "
        "disability maternity-registration school sole-trader company food-licence property-transfer "
        "rent-tax driving-licence passport senior-card wages flexible-insurance consumer after-death "
        "no-criminal-record work-injury online-hall hall-hours"
    ).split(),
    "hospital": (
        "registration cancel-registration outpatient-payment admission discharge records reports "
        "sick-note chronic-disease visiting vaccination check-up emergency refund patient-relations "
        "which-department examinations pharmacy maternity-file hospital-visit"
    ).split(),
}
"""What each office is asked about; a guide that goes is missed by residents, so it is written here as well."""

TODAY = date(2026, 11, 26)
SHIPPED = [each.guide for each in shipped()]


def test_no_shipped_guide_has_a_fault() -> None:
    assert [] == [str(fault) for fault in check_guides(GUIDES, TODAY)]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_matter_has_its_guide(preset: str) -> None:
    assert sorted(SLUGS[preset]) == sorted(each.slug for each in SHIPPED if each.preset == preset)


@pytest.mark.parametrize("guide", SHIPPED, ids=lambda guide: guide.slug)
def test_a_guide_answers_four_questions_and_says_that_its_office_is_invented(guide: Guide) -> None:
    assert len(guide.faq) >= 4
    assert "虚构" in guide.note
