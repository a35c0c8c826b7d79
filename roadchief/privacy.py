"""What is kept of people, why and how long: the notice of domain.md §7.5 (PIPL 13, 17, 34).

Terms are read from what is configured, so the page cannot promise what the night does not do.
"""

from dataclasses import dataclass

from flask import Blueprint, Flask, render_template
from flask_babel import gettext, pgettext

from roadchief.accounts import access_keys
from roadchief.accounts.sessions import KEPT_AFTER_END
from roadchief.accounts.signin import current_or_none, public
from roadchief.codes.counting import SCANS_KEPT
from roadchief.config import Settings
from roadchief.issues.watching import MASK_AFTER
from roadchief.patrol.rules import section
from roadchief.web import settings

pages = Blueprint("privacy", __name__)
OPEN = "whoever gives something of themselves may read what becomes of it"


@dataclass(frozen=True)
class Kept:
    """One kind of people: what is kept of them, what for, on what ground, and each term."""

    icon: str
    who: str
    what: str
    why: str
    ground: str
    terms: tuple[tuple[str, str], ...]


@pages.get("/privacy")
@public(OPEN)
def show() -> str:
    current_or_none()
    return render_template("privacy.html", kinds=kinds(settings()))


def kinds(known: Settings) -> list[Kept]:
    duty = gettext("履行法定职责所必需（个人信息保护法第十三条第三项、第三十四条）")
    return [_reporters(known, duty), _staff(duty), _merchants(duty), _scanners(duty)]


def _reporters(known: Settings, duty: str) -> Kept:
    return Kept(
        "message-report",
        gettext("反映问题的人"),
        gettext("您写的文字、拍的照片、选的地点；联系方式只在您愿意时留。不问姓名、年龄、证件。"),
        gettext("到现场处置问题，并告诉您结果。商户看不到是谁反映的。"),
        duty + gettext("；联系方式凭您同意"),
        (
            (gettext("联系方式、文字中的号码"), _after_closing(MASK_AFTER.days)),
            (gettext("照片里的拍摄位置"), gettext("不保存")),
            (pgettext("many", "案件"), _cases(known)),
        ),
    )


def _staff(duty: str) -> Kept:
    return Kept(
        "walk",
        gettext("巡查员、路长和工作人员"),
        gettext("姓名、职务、账号、班次；到访时的位置和照片；班次内、屏幕亮着时的行走轨迹。"),
        gettext("证明到过现场、安排巡查、公示责任人。下班后不记录。"),
        duty,
        (
            (gettext("行走轨迹的点"), for_days(section("tracks")["keep_days"])),
            (gettext("到访的位置"), for_days(section("keeping")["place_days"])),
            (gettext("到访的照片"), for_days(section("keeping")["photo_days"])),
            (gettext("能证明问题的照片"), for_days(section("keeping")["evidence_days"])),
            (gettext("登录过的设备"), for_days(KEPT_AFTER_END.days)),
            (gettext("停用的访问密钥"), for_days(access_keys.KEPT_AFTER_END.days)),
        ),
    )


def _merchants(duty: str) -> Kept:
    return Kept(
        "building-store",
        gettext("商户和店主"),
        gettext("店名、执照号、经营者姓名和电话；自查、整改的文字和照片。"),
        gettext("落实门前责任、先告知您再派单。公众只看得到店招和门牌。"),
        duty,
        (
            (gettext("登记的资料"), gettext("经营期间；歇业后留作历史")),
            (gettext("自查、整改照片"), for_days(section("keeping")["photo_days"])),
        ),
    )


def _scanners(duty: str) -> Kept:
    return Kept(
        "qrcode",
        gettext("扫码的人"),
        gettext("扫码的时间；位置只在您允许时、约一百米的精度。不记是谁。"),
        gettext("发现被复制或挪走的码牌。"),
        duty,
        ((gettext("每次扫码"), for_days(SCANS_KEPT.days)),),
    )


def for_days(days: int) -> str:
    """730 is two years, 30 is thirty days."""
    if days % 365 == 0:
        return gettext("%(n)s 年", n=days // 365)
    return gettext("%(n)s 天", n=days)


def _after_closing(days: int) -> str:
    return gettext("结案 %(n)s 天后隐去", n=days)


def _cases(known: Settings) -> str:
    if not known.case_retention:
        return gettext("按档案规定保存")
    return gettext("结案 %(n)s 年后删除", n=known.case_keep_years)


def install(app: Flask) -> None:
    app.register_blueprint(pages)
