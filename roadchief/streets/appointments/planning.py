"""What each line of a list would do: nobody is written here. Reads are a handful, however long."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from roadchief.accounts import people, roster
from roadchief.accounts.access import ROLES
from roadchief.accounts.models import LoginDirectory, Person, Post
from roadchief.db import tenant_of
from roadchief.lib.text import spelled
from roadchief.streets.appointments.lines import Line, capacity_of, role_of
from roadchief.streets.chiefs import MAY_ANSWER, SCOPES
from roadchief.streets.models import Assignment, Road, RoadSegment, StreetBlock, Subdistrict
from roadchief.streets.place_models import Organisation

Place: TypeAlias = Road | RoadSegment | StreetBlock
Trouble: TypeAlias = tuple[str, str]  # in Chinese and in English
NAMESAKES = 9  # logins tried for people of one spelling


@dataclass
class Plan:
    """A line and what it comes to. `trouble` is why it is refused; then nothing of it is done."""

    line: Line
    key: str = ""  # who it is, within the list
    login: str = ""
    person: Person | None = None  # known before
    role: str = ""
    capacity: str = ""
    title: str = ""
    organisation: Organisation | None = None
    post: Post | None = None  # held before
    invites: bool = False
    appoints: bool = False
    to_charge: list[Place] = field(default_factory=list)
    in_charge: list[Place] = field(default_factory=list)  # already
    trouble: Trouble | None = None

    @property
    def comes_to(self) -> str:
        """`refused`, `invited`, `appointed`, `charged` or `same`."""
        if self.trouble:
            return "refused"
        if self.invites:
            return "invited"
        return "appointed" if self.appoints else "charged" if self.to_charge else "same"

    @property
    def post_key(self) -> tuple[str, str, str, uuid.UUID | None]:
        unit = self.organisation.id if self.organisation else None
        return self.key, self.role, self.title, unit


def plan(session: Session, lines: Sequence[Line], *, at: datetime) -> list[Plan]:
    """In the order of the lines. A person named by several lines is invited by the first."""
    known = _Known(session, lines, at=at)
    return [known.weigh(line) for line in lines]


class _Known:
    """What the register holds of all that a list names, and what its lines have planned so far."""

    def __init__(self, session: Session, lines: Sequence[Line], *, at: datetime) -> None:
        here = tenant_of(session)
        self.short = session.get_one(Subdistrict, here).short_name.lower()
        wanted = or_(
            Person.name.in_({one.name for one in lines}),
            Person.login.in_({one.login for one in lines if one.login}),
        )
        found = list(session.scalars(select(Person).where(Person.subdistrict_id == here, wanted)))
        self.by_login = {one.login: one for one in found}
        self.by_name: dict[str, list[Person]] = defaultdict(list)
        for person in found:
            if person.state != "retired":
                self.by_name[person.name].append(person)
        self.posts = roster.posts_of(session, found, at=at)
        self.elsewhere = self._logins(session, lines)
        self.taken = self.elsewhere | {one.login for one in lines if one.login}
        self.logins: dict[str, set[str]] = defaultdict(set)  # of a name, as the list gives them
        self.phones: dict[str, set[str]] = defaultdict(set)
        self.names: dict[str, set[str]] = defaultdict(set)  # of a login
        for one in lines:
            self.logins[one.name] |= {one.login} - {""}
            self.phones[one.name] |= {one.phone} - {""}
            self.names[one.login].add(one.name)
        self.organisations = self._named(session, Organisation, (one.organisation for one in lines))
        self.roads = self._named(session, Road, (name for one in lines for name in one.roads))
        self.blocks = self._named(session, StreetBlock, (one.block for one in lines))
        self.segments = self._segments(session, lines)
        self.charges = self._charges(session, at=at)
        self.invited: dict[str, str] = {}  # key to the login planned for it
        self.planned: set[Any] = set()

    def weigh(self, line: Line) -> Plan:
        found = Plan(line)
        found.trouble = self._person(found) or self._post(found) or self._places(found)
        if found.trouble is None:
            self._not_twice(found)
        return found

    def _person(self, found: Plan) -> Trouble | None:
        line = found.line
        if not 1 <= len(line.name) <= people.LONGEST_NAME:
            return "没有姓名，或超过 60 个字", "no name, or more than 60 characters"
        if len(line.phone) > 30 or len(line.email) > 200 or "@" not in (line.email or "@"):
            return "电话或邮箱写法有误", "the phone or e-mail looks wrong"
        logins, phones = self.logins[line.name], self.phones[line.name]
        if line.login or len(logins) == 1:
            return self._by_login(found, line.login or min(logins))
        if logins or (len(phones) > 1 and not line.phone):
            return self._namesake(line)
        same = self.by_name[line.name]
        if line.phone and any(one.phone for one in same):
            same = [one for one in same if one.phone in (line.phone, None)]
            if not same:
                return self._namesake(line)
        if len(same) > 1:
            return self._namesake(line)
        found.person = same[0] if same else None
        phone = line.phone or min(phones, default="")
        found.key = found.person.login if found.person else f"{line.name} {phone}"
        found.login = found.person.login if found.person else self._free_login(found)
        return None

    def _by_login(self, found: Plan, login: str) -> Trouble | None:
        line = found.line
        if not people.is_login(login):
            return "登录名应为 3–64 个字符，不含空格", "a login has 3 to 64 characters, no spaces"
        found.person, found.key, found.login = self.by_login.get(login), login, login
        if found.person is None and login in self.elsewhere:
            return "登录名已被使用", "the login is taken"
        if found.person is not None and found.person.name != line.name:
            return (
                f"登录名属于{found.person.name}",
                f"the login belongs to {found.person.name}",
            )
        if found.person is not None and found.person.state == "retired":
            return "此人已停用", "this person is retired"
        if len(self.names[login]) > 1:
            return "表中两人用了同一个登录名", "two people of the list have this login"
        return None

    def _post(self, found: Plan) -> Trouble | None:
        line = found.line
        role, capacity = role_of(line.role), capacity_of(line.capacity)
        if role is None:
            known = "、".join(zh for key, (zh, _) in ROLES.items() if key != "merchant")
            return f"没有“{line.role}”这个岗位，可用：{known}", f"no such post: {line.role}"
        if capacity is None:
            return f"没有“{line.capacity}”这种身份", f"no such capacity: {line.capacity}"
        if len(line.title) > 40:
            return "职务名称最多 40 个字", "a title has at most 40 characters"
        found.role, found.capacity = role, capacity
        found.title = line.title or (line.role if line.role not in ROLES else ROLES[role][0])
        if line.organisation:
            units = self.organisations.get(line.organisation, [])
            if not units:
                return (
                    f"没有单位“{line.organisation}”，请先在“管理 › 单位”里登记",
                    f"no unit {line.organisation}: enter it under organisations first",
                )
            found.organisation = units[0]
        held = self.posts[found.person.id] if found.person else []
        found.post = next((one for one in held if _is_this(one, found)), None)
        return None

    def _places(self, found: Plan) -> Trouble | None:
        line, places = found.line, list[Place]()
        if (line.roads or line.segments or line.block) and found.role not in MAY_ANSWER:
            return "此岗位不负责道路，请清空道路、路段、街区", "this post answers for no streets"
        for word in line.segments:
            fits = [one for one in self.segments.get(word, []) if self._on(one, line.roads)]
            if len(fits) != 1:
                return _which("路段", "segment", word, len(fits))
            places += fits
        for word in () if line.segments else line.roads:
            roads = self.roads.get(word, [])
            if len(roads) != 1:
                return _which("道路", "road", word, len(roads))
            places += roads
        if line.block:
            if line.block not in self.blocks:
                return _which("街区", "block", line.block, 0)
            places += self.blocks[line.block]
        running = self.charges[found.post.id] if found.post else set()
        for place in places:
            (found.in_charge if place.id in running else found.to_charge).append(place)
        return None

    def _not_twice(self, found: Plan) -> None:
        """What an earlier line of the list does already is not planned again."""
        found.invites = found.person is None and found.key not in self.planned
        found.appoints = found.post is None and found.post_key not in self.planned
        for place in list(found.to_charge):
            if (found.post_key, place.id) in self.planned:
                found.to_charge.remove(place)
                found.in_charge.append(place)
        self.planned |= {found.key, found.post_key}
        self.planned |= {(found.post_key, place.id) for place in found.to_charge}

    def _on(self, segment: RoadSegment, roads: tuple[str, ...]) -> bool:
        """Named together with a road, it must lie on it."""
        if not roads:
            return True
        return any(one.id == segment.road_id for name in roads for one in self.roads.get(name, []))

    def _free_login(self, found: Plan) -> str:
        if found.key not in self.invited:
            stem = _stem(found.line, self.short)
            free = (one for one in _tried(stem) if one not in self.taken)
            login = next(free, f"{stem}{uuid.uuid4().hex[:6]}")
            self.taken.add(login)
            self.invited[found.key] = login
        return self.invited[found.key]

    def _logins(self, session: Session, lines: Sequence[Line]) -> set[str]:
        """Of those given or made: which are somebody's, in any sub-district."""
        asked = {one.login for one in lines if one.login}
        for line in lines:
            asked |= set(_tried(_stem(line, self.short)))
        found = select(LoginDirectory.login).where(LoginDirectory.login.in_(asked))
        return set(session.scalars(found))

    def _named(self, session: Session, kind: Any, names: Iterable[str]) -> dict[str, list[Any]]:
        rows = session.scalars(
            select(kind)
            .where(kind.subdistrict_id == tenant_of(session), kind.closed_at.is_(None))
            .where(kind.name.in_({one for one in names if one}))
        )
        found: dict[str, list[Any]] = {}
        for row in rows:
            found.setdefault(row.name, []).append(row)
        return found

    def _segments(self, session: Session, lines: Sequence[Line]) -> dict[str, list[RoadSegment]]:
        """By code and by name."""
        words = {word for one in lines for word in one.segments}
        rows = session.scalars(
            select(RoadSegment)
            .where(RoadSegment.subdistrict_id == tenant_of(session))
            .where(RoadSegment.closed_at.is_(None))
            .where(or_(RoadSegment.code.in_(words), RoadSegment.name.in_(words)))
        )
        found: dict[str, list[RoadSegment]] = defaultdict(list)
        for row in rows:
            for word in {row.code, row.name}:
                found[word].append(row)
        return found

    def _charges(self, session: Session, *, at: datetime) -> dict[uuid.UUID, set[uuid.UUID]]:
        """Post to the roads, segments and blocks that it answers for."""
        keys = [post.id for posts in self.posts.values() for post in posts]
        rows = session.scalars(
            select(Assignment)
            .where(Assignment.subdistrict_id == tenant_of(session), Assignment.post_id.in_(keys))
            .where(or_(Assignment.ends_at.is_(None), Assignment.ends_at > at))
        )
        found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
        for row in rows:
            found[row.post_id] |= {getattr(row, column) for column in SCOPES.values()} - {None}
        return found

    def _namesake(self, line: Line) -> Trouble:
        return (
            f"已有同名人员“{line.name}”，请填登录名",
            f"somebody else is named {line.name}: give the login",
        )


def _is_this(post: Post, found: Plan) -> bool:
    """The post a line means: an unnamed title or unit leaves the one that is held."""
    if post.role != found.role:
        return False
    titled = not found.line.title or post.title == found.line.title
    return titled and (found.organisation is None or post.organisation_id == found.organisation.id)


def _which(zh: str, en: str, word: str, count: int) -> Trouble:
    if count:
        return (
            f"有 {count} 个{zh}都叫“{word}”，请填路段编号",
            f"{count} of the name {word}: give the code of a segment",
        )
    return f"没有登记{zh}“{word}”", f"no {en}: {word}"


def _stem(line: Line, short: str) -> str:
    return f"{(spelled(line.name) or 'person')[:40]}.{short}"


def _tried(stem: str) -> list[str]:
    return [stem, *(f"{stem}{number}" for number in range(2, NAMESAKES + 1))]
