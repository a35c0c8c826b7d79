"""Every step that is ever written has words for the desk; no code stands on a page."""

import ast
from collections.abc import Iterator
from pathlib import Path

from roadchief import issues
from roadchief.issues import moves, story

FOLDER = Path(issues.__file__).parent


def verbs() -> Iterator[str]:
    """The verbs that code gives to add_step, and those of the import, which writes in bulk."""
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                third = node.args[2] if len(node.args) > 2 else None
                if name == "add_step" and isinstance(third, ast.Constant):
                    yield str(third.value)
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if (
                        isinstance(key, ast.Constant)
                        and key.value == "verb"
                        and isinstance(value, ast.Constant)
                    ):
                        yield str(value.value)


def test_every_verb_has_words() -> None:
    found = set(verbs())
    assert {"report", "import", "mask", "seen_again"} <= found
    assert found - set(moves.BY_VERB) - set(story.NAMED) == set()
