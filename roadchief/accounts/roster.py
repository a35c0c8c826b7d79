"""Reads: who is there and which posts they hold."""

import uuid
from datetime import datetime
from typing import NoReturn

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from roadchief.accounts.models import Person, Post
from roadchief.db import tenant_of
from roadchief.errors import NotFound


def running_posts(session: Session, person_id: uuid.UUID, *, at: datetime) -> list[Post]:
    return list(
        session.scalars(
            select(Post)
            .where(Post.subdistrict_id == tenant_of(session), Post.person_id == person_id)
            .where(Post.starts_at <= at, or_(Post.ends_at.is_(None), Post.ends_at > at))
            .order_by(Post.starts_at)
        )
    )


def find(session: Session, person_id: uuid.UUID) -> Person:
    return session.get(Person, (tenant_of(session), person_id)) or _absent()


def find_post(session: Session, post_id: uuid.UUID) -> Post:
    return session.get(Post, (tenant_of(session), post_id)) or _absent()


def page(session: Session, *, text: str | None, number: int, size: int) -> tuple[list[Person], int]:
    """People of the sub-district by name, those in office first."""
    wanted = select(Person).where(Person.subdistrict_id == tenant_of(session))
    if text:
        wanted = wanted.where(
            or_(
                Person.name.contains(text, autoescape=True),
                Person.login.contains(text.lower(), autoescape=True),
            )
        )
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    order = (Person.state == "retired", Person.name.collate("C"), Person.id)
    rows = session.scalars(wanted.order_by(*order).limit(size).offset((number - 1) * size))
    return list(rows), total


def posts_of(
    session: Session, people: list[Person], *, at: datetime
) -> dict[uuid.UUID, list[Post]]:
    """Running posts of many people in one query."""
    found: dict[uuid.UUID, list[Post]] = {person.id: [] for person in people}
    rows = session.scalars(
        select(Post)
        .where(Post.subdistrict_id == tenant_of(session), Post.person_id.in_(found))
        .where(Post.starts_at <= at, or_(Post.ends_at.is_(None), Post.ends_at > at))
        .order_by(Post.starts_at)
    )
    for post in rows:
        found[post.person_id].append(post)
    return found


def _absent() -> NoReturn:
    raise NotFound
