"""Second factor secrets at rest: sealed, bound to their person, upgraded at use."""

import uuid
from dataclasses import replace

import pyotp
import pytest
from sqlalchemy.orm import Session

from roadchief.accounts import people, sealing, sessions
from roadchief.config import Settings
from roadchief.lib import clock
from tests import makers

WHOSE = (310115004, uuid.UUID("01900000-0000-7000-8000-000000000001"))
OTHER = (310115004, uuid.UUID("01900000-0000-7000-8000-000000000002"))
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_a_secret_goes_in_and_comes_out(settings: Settings) -> None:
    kept = sealing.seal(SECRET, whose=WHOSE, settings=settings)
    assert SECRET not in kept
    assert kept.startswith(tuple(sealing.marks(settings)))
    assert sealing.unseal(kept, whose=WHOSE, settings=settings) == sealing.Opened(SECRET, False)
    assert kept != sealing.seal(SECRET, whose=WHOSE, settings=settings)


def test_a_sealed_secret_is_of_one_person(settings: Settings) -> None:
    kept = sealing.seal(SECRET, whose=WHOSE, settings=settings)
    with pytest.raises(sealing.SecretUnreadable):
        sealing.unseal(kept, whose=OTHER, settings=settings)


@pytest.mark.parametrize("cut", [0, 1, 5, 20, 40])
def test_a_spoilt_one_is_refused(settings: Settings, cut: int) -> None:
    kept = sealing.seal(SECRET, whose=WHOSE, settings=settings)
    head, body = kept.rsplit(".", 1)
    spoilt = f"{head}.{body[:cut]}{'B' if body[cut] != 'B' else 'C'}{body[cut + 1 :]}"
    for odd in (spoilt, f"{head}.", f"{head}.!", f"v9.{kept.split('.', 1)[1]}"):
        with pytest.raises(sealing.SecretUnreadable):
            sealing.unseal(odd, whose=WHOSE, settings=settings)


def test_after_a_change_of_key(settings: Settings) -> None:
    kept = sealing.seal(SECRET, whose=WHOSE, settings=settings)
    changed = replace(settings, secret_key="another key, of good length too, for tests")
    with pytest.raises(sealing.SecretUnreadable):
        sealing.unseal(kept, whose=WHOSE, settings=changed)
    both = replace(changed, former_secret_key=settings.secret_key)
    assert sealing.unseal(kept, whose=WHOSE, settings=both) == sealing.Opened(SECRET, True)


def test_plain_and_former_ones_are_sealed_at_the_next_use(
    session: Session, settings: Settings
) -> None:
    makers.make_subdistrict(session)
    at = clock.now()
    code = pyotp.TOTP(SECRET).at(at)
    former = replace(settings, secret_key="the key before this one, for tests alone")
    for kept in ("plain", "former"):
        person = makers.make_person(session)
        people.confirm_second_factor(session, person, SECRET, at=at, settings=former)
        if kept == "plain":
            person.totp_secret = SECRET
        session.flush()
        now = replace(settings, former_secret_key=former.secret_key)
        assert not sessions.take_code(session, person, "000000", at=at, settings=now)
        assert sessions.take_code(session, person, code, at=at, settings=now)
        session.refresh(person)
        assert person.totp_secret is not None
        whose = (person.subdistrict_id, person.id)
        # Readable now without the former key, and the code is still good once.
        assert sealing.unseal(person.totp_secret, whose=whose, settings=settings).outdated is False
        assert not sessions.take_code(session, person, code, at=at, settings=settings)
