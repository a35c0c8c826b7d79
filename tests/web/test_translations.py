"""Chinese first, English complete: every sentence of page and code has its English."""

import re
from io import BytesIO

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from roadchief.config import ROOT

METHODS = [("roadchief/**.py", "python"), ("roadchief/templates/**.html", "jinja2")]
PO = ROOT / "roadchief" / "translations" / "en" / "LC_MESSAGES" / "messages.po"


def sentences() -> set[str]:
    found = extract_from_dir(
        str(ROOT),
        METHODS,
        keywords={"_": None, "gettext": None},
        directory_filter=lambda path: not re.search(r"/(\.|node_modules|var|static)", path + "/"),
    )
    return {message for _file, _line, message, _comments, _context in found}


def test_every_sentence_has_its_english() -> None:
    catalog = read_po(BytesIO(PO.read_bytes()))
    english = {entry.id: entry.string for entry in catalog if entry.id}
    assert len(sentences()) > 200
    assert sorted(one for one in sentences() if not english.get(one)) == []


def test_english_says_the_same_names() -> None:
    catalog = read_po(BytesIO(PO.read_bytes()))
    for entry in catalog:
        if entry.id:
            names = re.findall(r"%\((\w+)\)s", str(entry.id))
            assert sorted(names) == sorted(re.findall(r"%\((\w+)\)s", str(entry.string))), entry.id
