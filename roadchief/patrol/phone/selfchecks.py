"""A self-check sent by a phone, as one of the items that `intake` takes."""

from sqlalchemy.orm import Session

from roadchief.errors import NotFound
from roadchief.patrol.checklists import questions
from roadchief.patrol.items.answers import Refused
from roadchief.patrol.items.reading import Item, needed_id
from roadchief.patrol.phone import acts
from roadchief.patrol.phone.judging import Batch
from roadchief.patrol.selfchecks import checks
from roadchief.patrol.selfchecks import forms as self_forms
from roadchief.patrol.selfchecks.checks import Sheet, Wrong
from roadchief.streets import standards


def take(session: Session, item: Item, batch: Batch) -> acts.Ready:
    """Judged first; filed once its receipt is written."""
    storefront_id = needed_id(item.body, "storefront_id")
    if storefront_id not in batch.own_shops:
        raise Refused("not_your_shop")
    when = acts.moment_of(item, batch)
    said = item.body.get("checklist")
    version, bad, flags = questions.read_answers(said, batch.versions, who=standards.MERCHANT)
    if version is None:
        raise Refused("bad_field", field="checklist")
    sheet = Sheet(
        id=item.id,
        storefront_id=storefront_id,
        form=version,
        items=tuple(_codes(item, {"good", "bad"})),
        not_applicable=tuple(_codes(item, {"na"})),
        wrong=tuple(_wrong(item, one) for one in bad),
        flags=(*when.flags, *flags),
    )
    answer = acts.answer_to(item, when, flags, findings=[])

    def effect(session: Session) -> None:
        try:
            checks.file(session, sheet, by=item.person_id, at=batch.at, checked_at=when.at)
        except checks.EnoughToday as error:
            raise Refused("enough_today") from error
        except checks.OtherSheet as error:
            raise Refused("other_body", status="conflict") from error
        except NotFound as error:
            raise Refused("not_your_shop") from error

    return acts.Ready(item, answer, effect)


def _codes(item: Item, results: set[str]) -> list[str]:
    known = standards.items_for(standards.MERCHANT)
    return [
        row["item"]
        for row in item.body["checklist"]["answers"]
        if row["result"] in results and row.get("item") in known
    ]


def _wrong(item: Item, bad: questions.Bad) -> Wrong:
    said = next(
        row
        for row in item.body["checklist"]["answers"]
        if row.get("item") == bad.item and row["result"] == "bad"
    )
    photos = bad.photos or tuple(photo.sha256 for photo in item.photos)
    return Wrong(bad.item, bad.note, photos=photos, **self_forms.wrong_of(said))
