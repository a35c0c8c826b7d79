"""Our browser modules run outside a browser, where they need none: by the Node of Playwright."""

import json
import subprocess
from pathlib import Path
from typing import Any

from playwright._impl._driver import compute_driver_executable

from roadchief.config import ROOT

PATROL = ROOT / "static" / "patrol"


def javascript(code: str, given: Any = None) -> Any:
    """What `code`, the body of an async function of `given` and `load(module)`, returns."""
    script = f"""
    const load = (name) => import({json.dumps((PATROL).as_uri())} + "/" + name);
    const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    (async () => {{ {code} }})().then(
      (answer) => process.stdout.write(JSON.stringify(answer ?? null)),
      (error) => {{ console.error(error); process.exit(1); }},
    );
    """
    node = Path(compute_driver_executable()[0])
    done = subprocess.run(
        [node, "-e", script], input=json.dumps(given), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
