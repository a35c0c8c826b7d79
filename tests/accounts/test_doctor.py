"""`roadchief doctor` on second factors: how many, under how many keys, and what to do."""

from dataclasses import replace
from pathlib import Path

from roadchief import doctor
from roadchief.accounts import people
from roadchief.db import Database
from roadchief.doctor import Finding
from tests import makers
from tests.conftest import WEIFANG, make_settings

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_the_doctor_counts_second_factors_by_key(fresh_url: str, tmp_path: Path) -> None:
    settings = make_settings(fresh_url, tmp_path)
    changed = replace(settings, secret_key="another key, of good length too, for tests")

    def seen(known: object) -> Finding:
        rows = doctor.look_at_database(known)  # type: ignore[arg-type]
        return next(row for row in rows if row.what == "second factors")

    database = Database(settings)
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        for number in range(3):
            person = makers.make_person(session)
            people.confirm_second_factor(session, person, SECRET, at=makers.NOON, settings=settings)
            if number == 0:
                person.totp_secret = SECRET
    assert seen(settings).seen == "2 sealed under 1 key(s), 1 in plain text"
    assert seen(settings).fine
    with database.transaction(WEIFANG) as session:
        person = makers.make_person(session)
        people.confirm_second_factor(session, person, SECRET, at=makers.NOON, settings=changed)
    assert not seen(changed).fine
    assert "FORMER_SECRET_KEY" in seen(changed).mend
    assert seen(replace(changed, former_secret_key=settings.secret_key)).fine
    database.engine.dispose()
