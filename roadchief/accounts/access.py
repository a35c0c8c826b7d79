"""Who may do what: one table, asked by every view and every button. *Pure.*"""

import uuid
from dataclasses import dataclass

CHIEFS = frozenset({"chief_general", "chief_l1", "chief_l2", "chief_l3", "deputy_chief"})
ON_SEGMENT = frozenset({"segment_chief", "road_member", "steward", "rotating_chief"})
ROLES: dict[str, tuple[str, str]] = {
    "admin": ("系统管理员", "Administrator"),
    "auditor": ("审计员", "Auditor"),
    "operator": ("城运中心", "Operation centre"),
    "chief_general": ("总路长", "Chief general"),
    "chief_l1": ("一级路长", "Chief, level 1"),
    "chief_l2": ("二级路长", "Chief, level 2"),
    "chief_l3": ("三级路长", "Chief, level 3"),
    "deputy_chief": ("副路长", "Deputy chief"),
    "segment_chief": ("段长", "Segment chief"),
    "road_member": ("路员", "Road member"),
    "patroller": ("巡查员", "Patroller"),
    "steward": ("志愿者", "Steward"),
    "rotating_chief": ("轮值街长", "Rotating street chief"),
    "merchant": ("商户", "Merchant"),
    "officer": ("部门人员", "Department officer"),
}
CAPACITIES: dict[str, tuple[str, str]] = {
    "cadre": ("干部", "cadre"),
    "enforcement": ("执法人员", "enforcement"),
    "social_worker": ("社工", "social worker"),
    "merchant": ("商户", "merchant"),
    "contractor": ("承包单位", "contractor"),
    "volunteer": ("志愿者", "volunteer"),
}
STAFF = CHIEFS | {"admin", "auditor", "operator", "officer", "patroller", "segment_chief"}
EVERYBODY = frozenset(ROLES)

# Reads of many people's data and all acts of power need a second factor (ASVS 6.3.3).
SECOND_FACTOR = CHIEFS | {"admin", "auditor", "operator", "officer"}

# Action: the roles that hold it.
TABLE: dict[str, frozenset[str]] = {
    "own.account": EVERYBODY,
    "own.notices": EVERYBODY,
    # Keys for one's own programs: whoever may read more than the public does.
    "own.keys": frozenset(STAFF),
    "people.read": frozenset({"admin", "auditor"}),
    "people.invite": frozenset({"admin"}),
    "people.appoint": frozenset({"admin"}),
    "people.retire": frozenset({"admin"}),
    "streets.read": frozenset(STAFF),
    "streets.register": frozenset({"admin", "operator"}),
    "streets.assign": frozenset({"admin", "chief_general"}),
    "streets.import": frozenset({"admin"}),
    # Businesses with their credit codes, and the people who may act for them.
    "merchants.read": CHIEFS | {"admin", "operator", "auditor"},
    "merchants.keep": frozenset({"admin", "operator", "chief_general"}),
    # Plates: who sees the faces of domain.md §4.4, who mounts, who has them printed.
    "insight.read": CHIEFS | {"admin", "operator", "auditor"},
    # Sums of the sub-district; and beside those of others, where the setting lets them.
    "insight.board": frozenset({"chief_general", "admin", "operator", "auditor"}),
    "insight.rollup": frozenset({"chief_general", "admin", "auditor"}),
    "insight.settle": CHIEFS | {"admin", "operator"},
    "codes.history": CHIEFS | {"admin", "operator", "auditor"},
    "codes.mount": CHIEFS | {"admin", "operator", "patroller", "segment_chief", "road_member"},
    "codes.enforce": frozenset({"officer"}),
    "codes.own": frozenset({"merchant"}),
    "codes.mint": frozenset({"admin", "operator"}),
    "codes.settle": CHIEFS | {"admin", "operator"},
    # Patrol as chiefs see it, each within the own segments: look, decide, plan.
    "patrol.chief": CHIEFS | {"segment_chief", "admin", "auditor", "operator"},
    "patrol.review": CHIEFS | {"operator"},
    "patrol.plan": CHIEFS | {"operator"},
    "patrol.forms": frozenset({"admin", "operator", "chief_general"}),
    "patrol.radius": CHIEFS | {"admin"},
    # The phone app, with what it takes along of every shop on a street: whoever walks.
    "patrol.walk": CHIEFS | ON_SEGMENT | {"patroller", "officer", "operator"},
    # What phones send: the same people, and merchants for the self-check of their own shop.
    "patrol.sync": CHIEFS | ON_SEGMENT | {"patroller", "officer", "operator", "merchant"},
    # Cases: the desk shows each what the own unit or post answers for; moves ask workflow too.
    "issues.desk": CHIEFS | {"operator", "officer", "patroller", "segment_chief", "auditor"},
    "issues.own": frozenset({"merchant"}),
    "issues.keys": frozenset({"admin"}),
    "issues.replies": frozenset({"admin", "operator"}),
    "issues.pipes": frozenset({"admin", "operator", "auditor"}),
    "issues.routing": frozenset({"admin", "operator"}),
}


@dataclass(frozen=True)
class Actor:
    """Who asks: a person with the roles held now, in one sub-district."""

    person_id: uuid.UUID
    name: str
    subdistrict_id: int
    roles: frozenset[str]
    second_factor: bool = False
    post_id: uuid.UUID | None = None  # where this one post alone counts: whoever reads by a key

    @property
    def must_have_second_factor(self) -> bool:
        return bool(self.roles & SECOND_FACTOR)


@dataclass(frozen=True)
class Verdict:
    """`reason` is a key: `ok`, `elsewhere`, `second_factor` or `role`."""

    allowed: bool
    reason: str


def may(actor: Actor, action: str, *, subdistrict_id: int | None = None) -> Verdict:
    """May the actor do `action` (in `subdistrict_id`, or at home)? Unknown actions raise."""
    holders = TABLE[action]
    if subdistrict_id is not None and subdistrict_id != actor.subdistrict_id:
        return Verdict(False, "elsewhere")
    if not actor.roles & holders:
        return Verdict(False, "role")
    if actor.must_have_second_factor and not actor.second_factor and action != "own.account":
        return Verdict(False, "second_factor")
    return Verdict(True, "ok")
