"""Remove what was not chosen, keep secrets in .env alone, and say what comes next; the same when run again."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")
DESTINATIONS, OPTIONS = ANSWERS["_manifest"]["destinations"], ANSWERS["_manifest"]["options"]
CHOSEN = [name for name, entry in DESTINATIONS.items() if ANSWERS[entry["role"] + "_log_destination"] in (name, "all")]
SECRET = re.compile(r"(?!\w+://).|\w+://[^/?#]*:[^/?#]+@")  # a URL is one if it holds a password


def main() -> int:
    """Prune files and the folders they leave empty, write the secrets down, print three commands."""
    for path in list(unwanted()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        for folder in takewhile(lambda folder: not any(folder.iterdir()), path.parents[:-1]):
            folder.rmdir()
    for answer in [answer for name in CHOSEN for answer in DESTINATIONS[name].get("secrets", [])]:
        if SECRET.match(ANSWERS[answer]):
            keep(answer.upper(), ANSWERS[answer])
    python, scripts = ("py", ".venv\\Scripts\\") if os.name == "nt" else ("python3", ".venv/bin/")
    print(f"Next:\n  cd {ANSWERS['project_slug']}\n  {python} -m venv .venv && {scripts}pip install -e .")
    print(f"  {scripts}{ANSWERS['__dist_name']} doctor")
    return 0


def unwanted() -> Iterator[Path]:
    """Yield the files that belong to what was not chosen."""
    patterns = [] if any("service" in DESTINATIONS[name] for name in CHOSEN) else ["compose.yaml"]
    for name in DESTINATIONS.keys() - CHOSEN:
        patterns += [f"{tree}/logging/destinations/{name}" for tree in ("src/*", "tests")]
        patterns += [f"tests/logging/destinations/test_{name}.py", f"docs/destinations/{name}.md"]
        patterns += DESTINATIONS[name].get("paths", [])
    for name, option in OPTIONS.items():
        patterns += option["paths"] if ANSWERS[name] == "no" else []
    for pattern in patterns:
        yield from Path().glob(pattern.replace("src/*/", f"src/{ANSWERS['project_slug']}/"))


def keep(name: str, value: str, file: Path = Path(".env")) -> None:
    """Add a setting to .env unless it is there, quoted so that python-dotenv reads it as it is."""
    # Default values of variables without a name are taken as they are: no escapes, no ${...} in them.
    quoted = re.sub(r"\\|\$(?=\{)", lambda found: "${:-" + found[0] + "}", value).replace("'", "\\'")
    os.close(os.open(file, os.O_CREAT, 0o600))
    file.chmod(0o600)
    with file.open("r+", encoding="utf-8") as stream:
        before = stream.read()
        if not re.search(rf"^{name}=", before, re.MULTILINE):
            stream.write("\n" * (before[-1:] not in ("", "\n")) + f"{name}='{quoted}'\n")


if __name__ == "__main__":
    sys.exit(main())
