"""Proofs that run against a real database: started by scripts/proof."""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from roadchief.accounts.access import ROLES, Actor, may
from roadchief.app import create_app
from roadchief.db import Database
from tests import databases
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, make_settings
from tests.test_access import address, routes

from prove_faults import prove_faults  # isort: skip
from prove_load import prove_load  # isort: skip


def prove_matrix() -> list[dict[str, object]]:
    """Tried and failed combinations, role by role."""
    server = databases.server_url(dict(os.environ))
    rows: list[dict[str, object]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.clone(server, databases.template(server)) as url,
    ):
        settings = make_settings(url, Path(folder))
        database = Database(settings)
        app = create_app(settings, database)
        app.config["WTF_CSRF_ENABLED"] = False
        cast = Cast(database, settings)
        for role in track(sorted(ROLES), "roles", console=Console(stderr=True)):
            client = app.test_client()
            player = cast[role]
            sign_in(client, player)
            actor = Actor(player.person.id, "", WEIFANG, frozenset({role}), bool(player.totp))
            tried, failed = 0, []
            for rule, method, said in routes(app):
                if said.startswith("public: ") or said == "own.account":
                    continue
                tried += 1
                status = client.open(address(rule), method=method, data={}).status_code
                wanted = (
                    status not in (401, 403, 500) if may(actor, said).allowed else status == 403
                )
                if not wanted:
                    failed.append(f"{method} {rule} {status}")
            rows.append(
                {
                    "what": f"matrix {role}",
                    "tried": tried,
                    "failed": len(failed),
                    "note": "; ".join(failed),
                }
            )
        database.engine.dispose()
    return rows


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("what", choices=["matrix", "faults", "load"])
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    proofs = {"matrix": prove_matrix, "faults": prove_faults, "load": prove_load}
    rows = proofs[asked.what]()
    if asked.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    else:
        table = Table("what", "tried", "failed", "note", title=asked.what)
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        Console().print(table)
    sys.exit(1 if any(row["failed"] for row in rows) else 0)


if __name__ == "__main__":
    main()
