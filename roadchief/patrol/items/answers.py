"""What the phone is told of each item: one answer, the same again for the same item. *Pure.*"""

from typing import Any

HTTP = {
    "stored": 201,
    "already_stored": 200,
    "paused": 401,
    "conflict": 409,
    "gone": 410,
    "refused": 422,
    "retry": 503,
}
# Why an item is not taken: code, Chinese, English. The phone keeps it in the attention tray.
REASONS: dict[str, tuple[str, str]] = {
    "unreadable": ("内容无法读取", "cannot be read"),
    "too_large": ("内容过大", "too large"),
    "bad_id": ("编号应为 UUIDv7", "the id must be a UUIDv7"),
    "bad_field": ("“{field}”填写有误", "{field} is not right"),
    "unknown_kind": ("不认识的内容类型", "unknown kind"),
    "other_person": (
        "这条记录属于另一位同事，请由本人登录后上传",
        "this belongs to somebody else, who has to sign in",
    ),
    "other_body": (
        "同一编号已有不同内容，未覆盖",
        "another content is stored under this id; it was not replaced",
    ),
    "no_shift": ("没有这个班次", "no such shift"),
    "other_shift": ("这是另一位同事的班次", "the shift is somebody else's"),
    "no_place": ("找不到对应的铺位", "no storefront could be found for it"),
    "no_segment": ("没有这个路段", "no such segment"),
    "no_check_in": ("没有对应的到访记录", "no such check-in"),
    "no_handover": ("没有这条交接", "no such handover note"),
    "unknown_item": ("检查项 {item} 不存在", "there is no checklist item {item}"),
    "not_yours_to_check": (
        "检查项 {item} 只能由执法人员凭检查码检查",
        "item {item} needs an enforcement visit with its inspection code",
    ),
    "not_a_shopkeeper_item": (
        "检查项 {item} 不在商户自查范围内",
        "item {item} is not part of a self-check",
    ),
    "not_enforcement": (
        "检查码只能由执法人员使用",
        "an inspection code is for enforcement staff alone",
    ),
    "not_your_shop": ("这不是您的店铺", "this is not your shop"),
    "enough_today": ("今天的自查次数已满，明天再来", "enough self-checks were filed today"),
    "not_a_patroller": ("您的岗位不能巡查", "your post does not patrol"),
    "needs_because": ("请填写原因", "a reason is needed"),
    "needs_other_shop": (
        "请填写现在的店招或执照号码",
        "say what the sign or the licence reads now",
    ),
    "removed": ("已由管理人员删除：{because}", "removed by a supervisor: {because}"),
    "our_fault": (
        "系统未能处理这一条，稍后自动重试",
        "we failed on this one; it will be tried again",
    ),
}


class Refused(Exception):
    """This item cannot be taken, with the reason for its sender."""

    def __init__(self, code: str, status: str = "refused", **facts: str) -> None:
        super().__init__(code)
        self.code, self.status, self.facts = code, status, facts

    def answer(self, item_id: str | None, sha256: str | None) -> dict[str, Any]:
        zh, en = (text.format(**self.facts) for text in REASONS[self.code])
        return blank(item_id, sha256) | {
            "status": self.status,
            "http": 413 if self.code == "too_large" else HTTP[self.status],
            "reason": {"code": self.code, "zh": zh, "en": en},
        }


def blank(item_id: str | None, sha256: str | None) -> dict[str, Any]:
    """Every key of an answer, empty."""
    return {
        "id": item_id,
        "http": 503,
        "status": "retry",
        "body_sha256": sha256,
        "receipt": None,
        "missing_blobs": [],
        "outcome": None,
        "grade": None,
        "occurred_at": None,
        "flags": [],
        "findings": [],
        "reason": None,
    }


def stored(
    item_id: str, sha256: str, *, occurred_at: str, flags: list[str], **more: Any
) -> dict[str, Any]:
    """What is kept beside the item; `status`, `http` and `missing_blobs` follow when it is sent."""
    return blank(item_id, sha256) | {
        "status": "stored",
        "http": HTTP["stored"],
        "receipt": f"{item_id[-8:]}-{sha256[:8]}".upper(),
        "occurred_at": occurred_at,
        "flags": flags,
        **more,
    }


def again(kept: dict[str, Any]) -> dict[str, Any]:
    """The same answer to the same item."""
    return kept | {"status": "already_stored", "http": HTTP["already_stored"]}
