#!/usr/bin/env python
"""How triage does on messages that it never saw, labelled by a person beforehand.

    scripts/bench/triage.py [--file ../shared/data/…] [--show]

The baseline of the same run says QT01 (other) to everything.
"""

import csv
import sys
import tomllib
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from roadchief.config import ROOT
from roadchief.issues.sources.importing import SURE_ENOUGH
from roadchief.issues.triage import suggesting

FILE = ROOT.parent / "shared" / "data" / "no_licence_stated" / "群众留言_答复_200.csv"
LABELS = Path(__file__).with_name("triage_labels.toml")
HARMLESS = {"QT01", "YJ01", "YJ02"}


@click.command()
@click.option("--file", type=click.Path(path_type=Path), default=FILE)
@click.option("--half", type=click.Choice(["even", "odd"]), help="only these numbers")
@click.option("--show", is_flag=True, help="a line for each that went wrong")
def main(file: Path, half: str | None, show: bool) -> None:
    if not file.exists():
        raise click.UsageError(f"{file} is absent: this needs messages written by strangers")
    labels = tomllib.loads(LABELS.read_text(encoding="utf-8"))["street"]
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    if half:
        rows = [row for row in rows if int(row["留言编号"]) % 2 == (half == "odd")]
        labels = {
            row["留言编号"]: labels[row["留言编号"]] for row in rows if row["留言编号"] in labels
        }
    first = among = quiet = 0
    for row in rows:
        told = suggesting.suggest(f"{row['留言主题']}。{row['留言详情']}")
        codes = [one.code for one in told]
        wanted = labels.get(row["留言编号"])
        loud = bool(told) and told[0].sure > SURE_ENOUGH and told[0].code not in HARMLESS
        if wanted:
            first += bool(codes) and codes[0] in wanted
            among += any(code in wanted for code in codes)
        else:
            quiet += not loud
        wrong = not any(code in wanted for code in codes) if wanted else loud
        if show and wrong:
            sure = f"{told[0].sure:.2f}" if told else "-"
            print(row["留言编号"], wanted or "-", codes, sure, told[0].why if told else "")
    street, others = len(labels), len(rows) - len(labels)
    print(
        f"{street} of the street: first suggestion right {first} ({first / street:.0%}), "
        f"one of three right {among} ({among / street:.0%}); baseline 0"
    )
    print(f"{others} not of the street: left alone {quiet} ({quiet / others:.0%})")
    print(
        f"all {len(rows)}: {(first + quiet) / len(rows):.0%} right; "
        f"baseline {others / len(rows):.0%}"
    )


if __name__ == "__main__":
    main()
