"""Collections of the work on the street: cases, visits, findings, plates, hints. None is public.

Each is narrowed as its layer is: those who answer for all see all, chiefs their own segments,
departments the cases of their units. No reporter, no person's name, no words of citizens.
"""

from roadchief.maps.collections import Collection, Field, register
from roadchief.maps.duty_layers import (
    IN_REACH,
    LIGHT,
    OWN,
    cases_in_reach,
    segments_in_reach,
)
from roadchief.streets.charge import RUNNING


def _text(sql: str, zh: str, en: str) -> Field:
    return Field(sql, "string", zh, en)


PLACE = {
    "address": _text("f.address", "地址", "address"),
    "segment": _text("s.code", "路段", "segment"),
}
# Every source joins `s`, the segment, so that OWN can narrow it.
AT_DOOR = (
    "JOIN storefront f ON f.subdistrict_id = :here AND f.id = t.storefront_id "
    "JOIN road_segment s ON s.subdistrict_id = :here "
    "AND s.id = coalesce(t.segment_id, f.segment_id) "
)
for _one in (
    Collection(
        "cases",
        "案件",
        "Cases",
        "case_file c LEFT JOIN organisation o ON o.subdistrict_id = :here AND o.id = c.unit_id "
        f"LEFT JOIN road_segment s ON s.subdistrict_id = :here AND s.id = c.segment_id "
        f"WHERE c.subdistrict_id = :here AND {IN_REACH}",
        "c.id",
        "c.place",
        "Point",
        {
            "number": _text("c.number", "案件号", "number"),
            "category": _text("c.category", "类别", "category"),
            "state": _text("c.state", "状态", "state"),
            "light": _text(LIGHT, "灯", "light"),
            "source": _text("c.source", "来源", "source"),
            "danger": Field("c.danger", "boolean", "危险", "danger"),
            "address": _text("c.address", "地址", "address"),
            "segment": _text("s.code", "路段", "segment"),
            "unit": _text("o.name", "责任部门", "unit"),
            "words": _text("c.public_words", "公开描述", "released words"),
            "reported_at": Field("c.reported_at", "date-time", "上报时间", "reported"),
            "due_at": Field("c.due_at", "date-time", "到期时间", "due"),
            "ended_at": Field("c.ended_at", "date-time", "结案时间", "ended"),
            "on_time": Field("c.on_time", "boolean", "按时", "on time"),
        },
        "c.reported_at",
        public=False,
        action="issues.desk",
        values=cases_in_reach,
    ),
    Collection(
        "check_ins",
        "到访记录",
        "Check-ins",
        f"check_in t {AT_DOOR} WHERE t.subdistrict_id = :here AND {OWN}",
        "t.id",
        "coalesce(t.place, f.door)",
        "Point",
        {
            **PLACE,
            "outcome": _text("t.outcome", "核验结果", "verdict"),
            "grade": _text("t.grade", "等级", "grade"),
            "purpose": _text("t.purpose", "用途", "purpose"),
            "how": _text("t.how", "方式", "how"),
            "distance_m": Field("t.distance_m", "number", "距离（米）", "distance in metres"),
            "accuracy_m": Field("t.accuracy_m", "number", "精度（米）", "accuracy in metres"),
            "rule": _text("t.rule", "规则版本", "rule"),
            "occurred_at": Field("t.occurred_at", "date-time", "时间", "time"),
        },
        "t.occurred_at",
        public=False,
        action="patrol.chief",
        first=f"WITH {RUNNING}",
        values=segments_in_reach,
    ),
    Collection(
        "findings",
        "发现问题",
        "Findings",
        f"finding t {AT_DOOR} WHERE t.subdistrict_id = :here AND {OWN}",
        "t.id",
        "f.door",
        "Point",
        {
            **PLACE,
            "item": _text("t.item", "检查项", "item"),
            "severity": _text("t.severity", "严重程度", "severity"),
            "occurred_at": Field("t.occurred_at", "date-time", "时间", "time"),
        },
        "t.occurred_at",
        public=False,
        action="patrol.chief",
        first=f"WITH {RUNNING}",
        values=segments_in_reach,
    ),
    Collection(
        "plates",
        "码牌",
        "Plates",
        f"plate t {AT_DOOR} WHERE t.subdistrict_id = :here AND {OWN}",
        "t.id",
        "coalesce(t.mounted_place, f.door)",
        "Point",
        {
            "number": _text("t.number", "码牌编号", "number"),
            "state": _text("t.state", "状态", "state"),
            **PLACE,
            "state_at": Field("t.state_at", "date-time", "状态时间", "in this state since"),
        },
        public=False,
        action="codes.history",
        first=f"WITH {RUNNING}",
        values=segments_in_reach,
    ),
    Collection(
        "hints",
        "提示",
        "Hints",
        "hint t LEFT JOIN storefront f ON f.subdistrict_id = :here AND f.id = t.subject_id "
        "JOIN road_segment s ON s.subdistrict_id = :here AND s.id = t.segment_id "
        f"WHERE t.subdistrict_id = :here AND t.state = 'open' AND {OWN}",
        "t.id",
        "coalesce(f.door, ST_LineInterpolatePoint(s.line, 0.5))",
        "Point",
        {
            "kind": _text("t.kind", "类型", "kind"),
            "title": _text("t.title", "名称", "title"),
            "segment": _text("s.code", "路段", "segment"),
            "weight": Field("t.weight", "number", "权重", "weight"),
            "found_at": Field("t.found_at", "date-time", "发现时间", "found"),
        },
        "t.found_at",
        public=False,
        action="insight.read",
        first=f"WITH {RUNNING}",
        values=segments_in_reach,
    ),
):
    register(_one)
