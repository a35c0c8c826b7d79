"""Why a photo is not taken, in words; each with what the sender may do about it."""

from roadchief.errors import BadInput, Malformed, TooLarge, TooMany, Unavailable
from roadchief.lib import photos

# Why a file is no photo for us: reason of photos.Unfit → sentence.
WHY: dict[str, tuple[str, str]] = {
    "empty": ("文件是空的", "the file is empty"),
    "unknown_format": (
        "只收 JPEG、PNG、WebP、HEIC 照片，这个文件是 {seen}",
        "only JPEG, PNG, WebP and HEIC photos are taken, this file is {seen}",
    ),
    "too_many_pixels": (
        "像素过大，请用普通照片模式重拍",
        "too many pixels, take it in the ordinary photo mode",
    ),
    "animated": ("动图不能作为照片", "an animation is not a photo"),
    "broken": ("文件已损坏或不完整，请重新拍摄", "the file is damaged or cut off, take it again"),
    "too_much_work": ("打开此文件耗费过多，已停止", "the file takes too much work to open"),
}


class BadPhoto(BadInput):
    """Never fit, however often it is sent. `reason` is a key of WHY."""

    zh = "照片无法使用：{reason_zh}"
    en = "This photo cannot be used: {reason_en}"


class PhotoTooHeavy(TooLarge):
    zh = "照片过大，上限 {limit_mb} MB"
    en = "The photo is too large, the limit is {limit_mb} MB"


class NotAddress(Malformed):
    zh = "照片地址应为 64 位小写十六进制 SHA-256"
    en = "The address of a photo is its SHA-256 as 64 lower-case hexadecimal digits"


class HashMismatch(BadInput):
    zh = "收到的照片与其摘要不符，可能传输中断，请重发"
    en = "The bytes do not match their hash, perhaps cut on the way: send them again"


class DayQuotaSpent(TooMany):
    zh = "今日照片总量已达上限 {limit_mb} MB，请稍后再传"
    en = "The day's limit of {limit_mb} MB of photos is reached, send the rest later"


class NoRoom(Unavailable):
    zh = "照片暂时无法保存（{why}），请稍后重试"
    en = "The photo cannot be kept at the moment ({why}), try again later"


class Busy(Unavailable):
    zh = "正在处理的照片过多，请稍后重试"
    en = "Too many photos are being worked on, try again later"


def refusal_of(unfit: photos.Unfit) -> BadPhoto | PhotoTooHeavy:
    """The refusal for what the darkroom found."""
    if unfit.reason == "too_heavy":
        return PhotoTooHeavy(**unfit.facts)
    zh, en = (text.format(**unfit.facts) for text in WHY[unfit.reason])
    return BadPhoto(field="photo", reason=unfit.reason, reason_zh=zh, reason_en=en)
