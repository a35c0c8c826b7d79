"""Contacts go when they should, where they should, and each time that they should."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.accounts import notices
from roadchief.accounts.notice_models import Notice
from roadchief.issues import adjusting, handling, watching
from roadchief.issues.citizens import feedback
from roadchief.issues.mail import messages
from roadchief.issues.models import Case
from roadchief.issues.voices import Receipt
from tests.conftest import make_settings
from tests.issues import ground
from tests.issues.ground import CENTRE, TUESDAY, World

DAY = timedelta(days=1)
SETTINGS = make_settings("", Path("/nonexistent"))
LI = "li@example.cn"


@pytest.fixture
def world(session: Session) -> World:
    messages.wire()
    return ground.build(session)


def reported(session: Session, world: World, *, contact: str = LI) -> tuple[Case, Receipt]:
    case = ground.file_case(session, world)
    handed = feedback.hand_receipt(
        session, case, kind="reporter", at=TUESDAY, settings=SETTINGS, contact=contact
    )
    handed.receipt.contact_proven_at = TUESDAY
    session.flush()
    return case, handed.receipt


def addresses(session: Session, case: Case) -> list[str | None]:
    rows = select(Notice.address).where(
        Notice.subject_id == case.id, Notice.kind == "issues.citizen"
    )
    return list(session.scalars(rows))


def test_hiding_forgets_what_was_told_of_this_case(session: Session, world: World) -> None:
    case, receipt = reported(session, world)
    adjusting.reject(session, case, who=CENTRE, at=TUESDAY, words="不属实")
    assert addresses(session, case) == [LI]
    feedback.hide(session, receipt, case, at=TUESDAY)
    session.flush()
    assert receipt.contact is None
    assert addresses(session, case) == [None]


def test_hiding_one_receipt_leaves_another_of_the_same_address(
    session: Session, world: World
) -> None:
    case, receipt = reported(session, world)
    other = feedback.follow(session, case, at=TUESDAY, settings=SETTINGS, contact=LI)
    other.receipt.contact_proven_at = TUESDAY
    adjusting.reject(session, case, who=CENTRE, at=TUESDAY, words="不属实")
    feedback.hide(session, receipt, case, at=TUESDAY)
    assert addresses(session, case) == [LI]


def test_masking_an_old_case_leaves_the_mail_of_others_alone(
    session: Session, world: World
) -> None:
    old, _receipt = reported(session, world)
    adjusting.reject(session, old, who=CENTRE, at=TUESDAY, words="不属实")
    late = TUESDAY + 181 * DAY
    running, _other = reported(session, world)
    adjusting.contact(session, running, who=CENTRE, at=late, words="明天有人来看")
    assert watching.mask(session, old.id, at=late)
    assert addresses(session, old) == [None]
    assert addresses(session, running) == [LI]


def test_a_case_reopened_after_masking_is_masked_again(session: Session, world: World) -> None:
    case, receipt = reported(session, world)
    adjusting.reject(session, case, who=CENTRE, at=TUESDAY, words="不属实")
    late = TUESDAY + 181 * DAY
    assert watching.mask(session, case.id, at=late)
    handling.reopen(session, case, who=CENTRE, at=late + DAY, words="复查")
    assert case.masked_at is None
    feedback.say(session, case, "more", "电话13800138000", receipt=receipt, at=late + DAY)
    feedback.follow(session, case, at=late + DAY, settings=SETTINGS, contact="wang@example.cn")
    handling.accept(session, case, who=world.unit, at=late + DAY)
    photo = ground.make_photo(session)
    handling.submit(session, case, who=world.unit, at=late + DAY, words="好", photo_ids=(photo,))
    handling.close(session, case, who=CENTRE, at=late + DAY, kind="fixed_by_unit", words="好")
    later = late + 182 * DAY
    assert watching.to_mask(session, at=later) == [case.id]
    assert watching.mask(session, case.id, at=later)
    assert list(session.scalars(select(Receipt.contact))) == [None, None]
    assert notices.KINDS["issues.citizen"]
