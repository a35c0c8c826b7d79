"""What a mail to a citizen carries besides its words, made when it is about to go.

The packages above know who may still be written to and how one stops that; they give a maker for
each of their kinds. A maker runs in the transaction that claims the mail: if it answers with a
reason instead, the mail is not sent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from roadchief.accounts.notice_models import Notice
from roadchief.config import Settings


@dataclass(frozen=True)
class Envelope:
    """`thread` names the conversation; its `first` mail is the one that others answer to.

    `path` is the link in the text; `stop_path` the address that ends these mails by one POST.
    """

    path: str
    stop_path: str
    stop_words: str
    thread: str
    first: bool = False


Maker = Callable[[Session, Notice, Settings, datetime], Envelope | str]
makers: dict[str, Maker] = {}
