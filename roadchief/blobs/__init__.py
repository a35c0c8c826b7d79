"""Photos: developed safely, kept by content, shown by signed addresses."""

from roadchief.blobs.addresses import Link, address, link, opened
from roadchief.blobs.finding import copies, find, find_many, get, get_many, path, unused
from roadchief.blobs.keeping import (
    Receipt,
    blurred,
    check,
    develop,
    erase,
    forget_places,
    keep,
    known,
    on_arrival,
    receive,
    store,
    tell_arrival,
)
from roadchief.blobs.models import Blob
from roadchief.blobs.refusals import (
    BadPhoto,
    Busy,
    DayQuotaSpent,
    HashMismatch,
    NoRoom,
    NotAddress,
    PhotoTooHeavy,
)

__all__ = [
    "BadPhoto",
    "Blob",
    "Busy",
    "DayQuotaSpent",
    "HashMismatch",
    "Link",
    "NoRoom",
    "NotAddress",
    "PhotoTooHeavy",
    "Receipt",
    "address",
    "blurred",
    "check",
    "copies",
    "develop",
    "erase",
    "find",
    "find_many",
    "forget_places",
    "get",
    "get_many",
    "keep",
    "known",
    "link",
    "on_arrival",
    "opened",
    "path",
    "receive",
    "store",
    "tell_arrival",
    "unused",
]
