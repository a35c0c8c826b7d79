"""Two accounts of a provider claim one person at once: the unique key lets one through."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from roadchief.accounts import links
from roadchief.accounts.models import Person
from roadchief.db import Database
from tests import makers
from tests.conftest import WEIFANG, make_settings


@pytest.fixture
def real(fresh_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(make_settings(fresh_url, tmp_path))
    yield database
    database.engine.dispose()


def test_one_of_two_subjects_is_linked(real: Database) -> None:
    with real.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        person_id = makers.make_person(session).id
    start, ends = threading.Barrier(6), []

    def claim(number: int) -> None:
        start.wait()
        try:
            with real.transaction(WEIFANG) as session:
                person = session.get_one(Person, (WEIFANG, person_id))
                links.link(
                    session, person, issuer="https://idp", subject=f"s{number}", at=makers.NOON
                )
            ends.append("linked")
        except links.LinkedToAnother:
            ends.append("refused")

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["linked"] + ["refused"] * 5
    with real.transaction(WEIFANG) as session:
        person = session.get_one(Person, (WEIFANG, person_id))
        (kept,) = links.of_person(session, person)
        assert links.find(session, "https://idp", kept.subject) == (WEIFANG, person_id)
        assert links.unlink(session, person, by=None, at=makers.NOON) == 1
        assert links.unlink(session, person, by=None, at=makers.NOON) == 0
