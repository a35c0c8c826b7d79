"""What stands still and nobody would notice: messages, jobs, cases without a unit, doubtful dates.

One question a matter, each counted up to a bound; nothing here changes anything.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of

MOST, SHOWN = 1000, 8
OK, DUE, LATE = "ok", "due", "late"
LATELY = timedelta(days=7)
PATIENCE = timedelta(minutes=15)  # the worker is asked every few minutes
PHOTO_PATIENCE = timedelta(days=1)
KEY_SOON = timedelta(days=3)


@dataclass(frozen=True)
class Matter:
    """One thing that is looked at: how many, how bad, and some of them."""

    key: str
    zh: str
    en: str
    help_zh: str
    help_en: str
    level: str  # of one or more of it
    count: int
    examples: tuple[Any, ...]

    @property
    def state(self) -> str:
        return self.level if self.count else OK

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def help(self, language: str) -> str:
        return self.help_zh if language == "zh" else self.help_en


@dataclass(frozen=True)
class Look:
    """How a matter is looked for. Rows tell `what`, `at`, and the case where there is one."""

    key: str
    words: tuple[str, str]
    help: tuple[str, str]
    level: str
    sql: str


LOOKS: tuple[Look, ...] = (
    Look(
        "undelivered",
        ("没有送达的消息", "Messages that did not arrive"),
        ("近 7 天放弃或不确定；请改用电话联系。", "Given up or unsure in 7 days: call instead."),
        LATE,
        """SELECT n.kind || ' · ' || d.channel || coalesce(' · ' || d.trouble, '') AS what,
  n.at, c.id AS case_id, c.number FROM delivery d
JOIN notice n ON n.subdistrict_id = d.subdistrict_id AND n.id = d.notice_id
LEFT JOIN case_file c ON c.subdistrict_id = n.subdistrict_id AND c.id = n.subject_id
WHERE d.subdistrict_id = :here AND d.state IN ('given_up', 'unsure') AND n.at > :lately
ORDER BY n.at DESC""",
    ),
    Look(
        "waiting",
        ("该发而未发的消息", "Messages that should have gone out"),
        ("超过 15 分钟：后台任务可能没有运行。", "For over 15 minutes: is the worker running?"),
        LATE,
        """SELECT n.kind || ' · ' || d.channel AS what, d.next_at AS at, c.id AS case_id, c.number
FROM delivery d JOIN notice n ON n.subdistrict_id = d.subdistrict_id AND n.id = d.notice_id
LEFT JOIN case_file c ON c.subdistrict_id = n.subdistrict_id AND c.id = n.subject_id
WHERE d.subdistrict_id = :here AND d.state IN ('waiting', 'sending') AND d.next_at < :patience
ORDER BY d.next_at""",
    ),
    Look(
        "jobs",
        ("失败或滞留的后台任务", "Jobs that failed or stand still"),
        (
            "近 7 天失败，或超过 15 分钟没有开始。",
            "Failed in 7 days, or not begun for 15 minutes.",
        ),
        LATE,
        """SELECT j.task_name || ' · ' || j.status::text AS what, max(e.at) AS at,
  CAST(NULL AS uuid) AS case_id, CAST(NULL AS text) AS number
FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id
WHERE coalesce(j.args ->> 'subdistrict_id', CAST(:here AS text)) = CAST(:here AS text)
  AND (j.status::text = 'failed' OR (j.status::text = 'todo'
    AND coalesce(j.scheduled_at, '-infinity') < :patience))
GROUP BY j.id, j.task_name, j.status
HAVING max(e.at) > :lately AND (j.status::text = 'failed' OR max(e.at) < :patience)
ORDER BY max(e.at) DESC""",
    ),
    Look(
        "no_unit",
        ("无责任单位的案件", "Cases without a unit"),
        ("派遣规则没有命中，请派遣。", "No rule of routing fits: dispatch them."),
        DUE,
        """SELECT c.address AS what, c.reported_at AS at, c.id AS case_id, c.number
FROM case_file c WHERE c.subdistrict_id = :here AND c.ended_at IS NULL AND c.state = 'open'
  AND c.unit_id IS NULL ORDER BY c.due_at""",
    ),
    Look(
        "held",
        ("待甄别的案件", "Cases that wait to be looked at"),
        (
            "同一地点短时间内反映过多，未通知任何人。",
            "Too many about one place at once: nobody was told of these.",
        ),
        DUE,
        """SELECT c.address AS what, c.reported_at AS at, c.id AS case_id, c.number
FROM case_file c WHERE c.subdistrict_id = :here AND c.ended_at IS NULL AND c.held
ORDER BY c.due_at""",
    ),
    Look(
        "provisional",
        ("暂定期限", "Provisional dates"),
        (
            "期限跨入尚未录入放假安排的年份：roadchief issues holidays FILE。",
            "They reach into a year without entered holidays: roadchief issues holidays FILE.",
        ),
        DUE,
        """SELECT c.address AS what, c.due_at AS at, c.id AS case_id, c.number
FROM case_file c WHERE c.subdistrict_id = :here AND c.ended_at IS NULL AND c.provisional
ORDER BY c.due_at""",
    ),
    Look(
        "photos",
        ("迟迟未到的照片", "Photos that do not come"),
        (
            "超过一天仍在手机上，请提醒巡查员联网。",
            "On a phone for over a day: ask the patroller to go online.",
        ),
        DUE,
        """SELECT c.address AS what, p.promised_at AS at, c.id AS case_id, c.number
FROM case_photo_promise p JOIN case_file c ON c.subdistrict_id = p.subdistrict_id
  AND c.id = p.case_id
WHERE p.subdistrict_id = :here AND p.promised_at < :photo_patience ORDER BY p.promised_at""",
    ),
    Look(
        "rules",
        ("指向已撤销单位的派遣规则", "Rules that name a unit that is gone"),
        ("这些规则不再起作用。", "These rules do nothing any more."),
        LATE,
        """SELECT r.name || ' → ' || o.name AS what, o.closed_at AS at,
  CAST(NULL AS uuid) AS case_id, CAST(NULL AS text) AS number
FROM routing_rule r JOIN organisation o ON o.subdistrict_id = r.subdistrict_id AND o.id = r.unit_id
WHERE r.subdistrict_id = :here AND o.closed_at IS NOT NULL AND o.closed_at <= :at
ORDER BY r.place_in_line""",
    ),
    Look(
        "keys",
        ("即将失效仍在使用的密钥", "Keys about to end and still used"),
        ("对方系统还没有换用新密钥。", "The other system does not use its new key yet."),
        DUE,
        """SELECT k.name || ' …' || k.hint AS what, k.ended_at AS at, CAST(NULL AS uuid) AS case_id,
  CAST(NULL AS text) AS number FROM api_key k
WHERE k.subdistrict_id = :here AND k.ended_at > :at AND k.ended_at < :key_soon
  AND k.used_at > :lately ORDER BY k.ended_at""",
    ),
)


def look(session: Session, *, at: datetime) -> list[Matter]:
    """All matters, those that need somebody first."""
    values: dict[str, Any] = {
        "here": tenant_of(session),
        "at": at,
        "lately": at - LATELY,
        "patience": at - PATIENCE,
        "photo_patience": at - PHOTO_PATIENCE,
        "key_soon": at + KEY_SOON,
    }
    found = []
    for one in LOOKS:
        rows = session.execute(text(f"{one.sql} LIMIT {MOST}"), values).all()
        found.append(
            Matter(one.key, *one.words, *one.help, one.level, len(rows), tuple(rows[:SHOWN]))
        )
    rank = {LATE: 0, DUE: 1, OK: 2}
    return sorted(found, key=lambda matter: rank[matter.state])
