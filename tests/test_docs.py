"""The README tells every setting, event and command; it fails when it grows stale."""

from dataclasses import fields

import click

from roadchief import events
from roadchief.cli import main
from roadchief.config import ROOT, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_described() -> None:
    for spec in fields(Settings):
        if not spec.metadata.get("internal"):
            assert f"`ROADCHIEF_{spec.name.upper()}`" in README, spec.name


def test_every_event_is_described() -> None:
    missing = [name for name in events.KNOWN if f"`{name}`" not in README]
    assert not [name for name in missing if not name.startswith("test.")]


def test_every_command_is_described_and_has_help() -> None:
    def walk(command: click.Command, path: str) -> None:
        assert command.help, f"{path} has no help"
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                if not child.hidden:
                    walk(child, f"{path} {name}")
        else:
            assert f"`{path}`" in README, f"{path} is not in README.md"

    walk(main, "roadchief")
