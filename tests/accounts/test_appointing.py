"""Appointing by the page: nobody becomes an administrator by one careless touch."""

import re
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.accounts import people
from roadchief.accounts.models import Person, Post
from roadchief.db import Database
from roadchief.events import Event
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG
from tests.races import at_once


def test_a_post_is_chosen_and_never_given_by_default(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    sign_in(client, cast["admin"])
    found = re.findall(r'href="(/admin/people/[0-9a-f-]{36})"', client.get("/admin/people").text)
    page = client.get(found[0]).text
    first = re.search(r'<select name="role" required><option value="">', page)
    assert first
    answer = client.post(f"{found[0]}/posts", data={"role": "", "capacity": "cadre"})
    assert answer.status_code == 422


def test_a_post_is_given_once_and_a_person_retired_once(real: Database) -> None:
    """A form sent twice at once: the second is told."""
    with real.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        person_id = makers.make_person(session, "陈晓雯").id

    def appointing(session: Session) -> None:
        person = session.get_one(Person, (WEIFANG, person_id))
        people.appoint(session, person, role="patroller", capacity="cadre", by=None, at=makers.NOON)

    def retiring(session: Session) -> None:
        person = session.get_one(Person, (WEIFANG, person_id))
        at = makers.NOON + timedelta(days=1)
        people.retire(session, person, by=None, at=at, because="调离")

    assert at_once(real, appointing, appointing) == ["HoldsItAlready", "done"]
    assert at_once(real, retiring, retiring) == ["WrongState", "done"]
    with real.transaction(WEIFANG) as session:
        assert session.scalar(select(func.count()).select_from(Post)) == 1
        told = select(func.count()).select_from(Event).where(Event.name == "accounts.retired")
        assert session.scalar(told) == 1
