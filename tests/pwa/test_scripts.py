"""The phone's own rules give the same answers as the server's."""

import hashlib
import json
import random
import uuid
from typing import Any

import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from roadchief.codes import tokens
from roadchief.lib.geo import Plane
from roadchief.patrol import rules
from roadchief.patrol.presence import reach
from tests.pwa.scripts import javascript

DOOR = (121.5187, 31.2291)
SHOP = {
    "door": list(DOOR),
    "frontage": [[121.51868, 31.22915], [121.51872, 31.22905]],
    "radius_m": 30,
}
# Accuracies and distances around every line of the rule.
ACCURACIES = [None, 0, -5, 0.1, 5, 10, 20, 34.9, 35, 36, 49.9, 50, 50.1, 80, 199, 200, 200.1, 5000]
DISTANCES = [None, 0, 6, 30, 39.9, 40, 40.1, 50, 64.9, 65, 65.1, 90, 100.1, 130, 429, 431, 9000]


def test_the_rule_is_the_same_in_both_languages() -> None:
    cases = [(d, a, r) for d in DISTANCES for a in ACCURACIES for r in (15, 30, 60)]
    found = javascript(
        "const { judge } = await load('reach.js'); return given.map((one) => judge(...one));", cases
    )
    rule = rules.reach()
    for (d, a, r), (outcome, reason, limit) in zip(cases, found, strict=True):
        wanted = reach.verdict(d, a, r, rule)
        assert (outcome, reason) == (wanted.outcome, wanted.reason), (d, a, r)
        assert limit == wanted.limit_m or abs(limit - wanted.limit_m) < 1e-9, (d, a, r)


def test_distances_agree_to_a_hand() -> None:
    chance = random.Random(7)
    plane = Plane(lon=DOOR[0], lat=DOOR[1])
    fixes = []
    for _ in range(400):
        far = chance.choice([5, 30, 100, 800])
        place = plane.round(shapely.Point(chance.uniform(-far, far), chance.uniform(-far, far)))
        fixes.append({"lon": round(place.x, 7), "lat": round(place.y, 7), "accuracy_m": 12})
    found = javascript(
        "const { verdict } = await load('reach.js');"
        "return given.fixes.map((fix) => verdict(fix, given.shop));",
        {"fixes": fixes, "shop": SHOP},
    )
    frontage = shapely.LineString(SHOP["frontage"])
    for fix, said in zip(fixes, found, strict=True):
        wanted = reach.judge(reach.read_fix(fix), frontage, 30, rules.reach())
        assert abs(said["distance_m"] - wanted.distance_m) < 0.16, (fix, wanted)
        near_a_line = any(abs(wanted.distance_m - line) < 0.2 for line in (42, 54))
        assert near_a_line or said["outcome"] == wanted.outcome


def test_odd_fixes_are_weak_and_break_nothing() -> None:
    here = {"lat": 31.2, "lon": 121.5}
    odd: list[Any] = [None, {}, here, {"lat": None, "lon": 121.5, "accuracy_m": 5}]
    odd += [{"lat": "31", "lon": 121.5, "accuracy_m": 5}]
    odd += [here | {"accuracy_m": accuracy} for accuracy in (0, -3, "x", None, True, 201)]
    found = javascript(
        "const { verdict } = await load('reach.js');"
        "return given.odd.map((fix) => verdict(fix, given.shop).outcome);",
        {"odd": odd, "shop": SHOP},
    )
    assert found == ["weak"] * len(odd)


texts = some.text(some.characters(exclude_categories=["Cs"]), max_size=12)
values = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(some.lists(values, min_size=20, max_size=60))
def test_both_write_an_item_as_the_same_bytes(items: list[object]) -> None:
    found = javascript(
        "const { canonical, sha256 } = await load('ids.js');"
        "return Promise.all(given.map((one) => sha256(canonical(one))));",
        items,
    )
    for item, said in zip(items, found, strict=True):
        text = json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert said == hashlib.sha256(text.encode()).hexdigest(), item


def test_numbers_are_rounded_to_what_both_print_alike() -> None:
    chance = random.Random(1)
    numbers = [chance.uniform(-200, 200) * 10 ** chance.randint(-9, 3) for _ in range(2000)]
    found = javascript(
        "const { rounded, canonical } = await load('ids.js');"
        "return given.map((one) => [rounded(one, 7), canonical(rounded(one, 7))]);",
        numbers,
    )
    for value, text in found:
        assert json.dumps(json.loads(text)) == text, value


def test_ids_are_version_7_unique_and_sorted() -> None:
    made = javascript(
        "const { uuid7 } = await load('ids.js');"
        "return Array.from({ length: 20000 }, () => uuid7());"
    )
    assert len(set(made)) == len(made)
    assert made == sorted(made)
    assert {uuid.UUID(one).version for one in made} == {7}
    assert {uuid.UUID(one).variant for one in made} == {uuid.RFC_4122}


def test_an_id_survives_a_clock_that_goes_back() -> None:
    made = javascript(
        "const { uuid7 } = await load('ids.js'); return [uuid7(5000), uuid7(4000), uuid7(6000)];"
    )
    assert made == sorted(made)


def test_tokens_are_read_alike() -> None:
    chance = random.Random(3)
    hosts = ["lz.example.gov.cn"]
    said = []
    for _ in range(60):
        token = tokens.mint(chance.choice([16, 20, 25]), below=chance.randrange)
        wrong = token[:5] + chance.choice(tokens.ALPHABET) + token[6:]
        said += [
            token, token.lower(), tokens.spoken(token), wrong, token.replace("0", "O"),
            token[:-1], f"HTTPS://LZ.EXAMPLE.GOV.CN/C/{token}", f"https://evil.example/c/{token}",
            f"https://lz.example.gov.cn/x/{token}", f" {token} ", f"http://lz.example.gov.cn/c/{wrong}",
        ]  # fmt: skip
    said += ["", "https://", "https://[", "你好", "0" * 300, "javascript:alert(1)"]
    found = javascript(
        "const { tokenIn } = await load('tokens.js');"
        "return given.said.map((one) => tokenIn(one, given.hosts));",
        {"said": said, "hosts": hosts},
    )
    assert found == [tokens.token_in(one, hosts) for one in said]


SEALING = """
const { seal, unseal } = await load('sealing.js');
const bytes = new Uint8Array([1, 2, 250]).buffer;
const photo = { item_id: 'a', sha256: 'b', type: 'image/jpeg', bytes };
const item = { id: 'a', body: { text: '桂香' } };
const record = { item, sha256: 'c', saved_at: 1, state: 'ready' };
const text = await (await seal([record], [photo], given)).text();
const opened = await unseal(text, given);
const wrong = await unseal(text, given + '?').catch((error) => error.name);
const file = JSON.parse(text);
file.sealed = (file.sealed[0] === 'A' ? 'B' : 'A') + file.sealed.slice(1);
const touched = await unseal(JSON.stringify(file), given).catch((error) => error.name);
const back = [...new Uint8Array(opened.photos[0].bytes)];
return { readable: text.includes('桂香'), item: opened.items[0].item, photo: back, wrong, touched };
"""


def test_an_export_opens_with_its_passphrase_alone() -> None:
    answer = javascript(SEALING, "一条长长的口令")
    assert answer == {
        "readable": False,
        "item": {"id": "a", "body": {"text": "桂香"}},
        "photo": [1, 2, 250],
        "wrong": "OperationError",
        "touched": "OperationError",
    }
