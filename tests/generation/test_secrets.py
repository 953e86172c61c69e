"""Secrets are in `.env` and nowhere else."""

from __future__ import annotations

import json
import stat
import string
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.project import ROOT, bake, choices, questions
from tests.generation.combinations import texts
from tests.generation.test_answers import literal

SECRET = "geheim-Pa$$w0rd"
VALUES = {"postgres_dsn": f"postgresql://ada:{SECRET}@db.example.org:5432/logs?application_name=a"}
"""Secrets that have to have a form; the others are the bare secret."""
DESTINATIONS = {name: entry for name, entry in questions()["_manifest"]["destinations"].items() if entry.get("secrets")}


def answers_for(destination: str) -> dict[str, str]:
    """Return answers that choose a destination and give its secrets."""
    secrets = {name: literal(VALUES.get(name, SECRET)) for name in DESTINATIONS[destination]["secrets"]}
    return {f"{DESTINATIONS[destination]['role']}_log_destination": destination, **secrets}


def settings_for(destination: str) -> dict[str, str | None]:
    """Return what `.env` has to say about them."""
    return {name.upper(): VALUES.get(name, SECRET) for name in DESTINATIONS[destination]["secrets"]}


def test_secrets_are_kept_where_only_the_user_reads_them(tmp_path: Path) -> None:
    """They are in `.env`, which is 0600 and ignored by git, and in no other file."""
    for destination in DESTINATIONS:
        project = bake(tmp_path / destination, answers_for(destination))
        assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
        assert dotenv_values(project / ".env") == settings_for(destination)
        assert [path for path, text in texts(project).items() if SECRET in text] == [".env"]
        subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
        subprocess.run(["git", "check-ignore", "--quiet", ".env"], cwd=project, check=True)


def test_without_hooks_no_secret_is_written(tmp_path: Path) -> None:
    """What would keep it safe did not run, so it is left out."""
    for destination in DESTINATIONS:
        project = bake(tmp_path / destination, answers_for(destination), accept_hooks=False)
        assert [path for path, text in texts(project).items() if SECRET in text] == []


def test_without_secrets_there_is_no_env_file(tmp_path: Path) -> None:
    """Neither for defaults, nor for a secret of what was not chosen, nor for a URL without a password."""
    ignored = {name: literal(VALUES.get(name, SECRET)) for entry in DESTINATIONS.values() for name in entry["secrets"]}
    assert ".env" not in texts(bake(tmp_path / "not chosen", ignored))
    for answer in choices()["production_log_destination"]:
        assert ".env" not in texts(bake(tmp_path / answer, {"production_log_destination": answer}))


def test_what_stands_in_the_env_file_stays(tmp_path: Path) -> None:
    """A setting that was changed since is kept, and what is missing is added on a line of its own."""
    for destination in DESTINATIONS:
        answers = answers_for(destination)
        file = bake(tmp_path / destination, answers) / ".env"
        file.write_text("MINE=1")
        bake(tmp_path / destination, answers, overwrite_if_exists=True)
        assert dotenv_values(file) == {"MINE": "1", **settings_for(destination)}
        changed = "".join(f"{name}=changed\n" for name in settings_for(destination))
        file.write_text(changed)
        bake(tmp_path / destination, answers, overwrite_if_exists=True)
        assert file.read_text() == changed


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.text(st.sampled_from("ab$" + string.punctuation), min_size=1), min_size=2, max_size=2))
def test_any_secret_is_read_back_as_it_was_given(secrets: list[str]) -> None:
    """Quotes, backslashes, `${...}` and `#` are what they are, also beside another setting."""
    with TemporaryDirectory() as folder:
        file = Path(folder, ".env")
        for name, secret in zip(("ONE", "OTHER"), secrets, strict=True):
            hook()["add_to_env"](name, secret, file)
        assert dotenv_values(file) == dict(zip(("ONE", "OTHER"), secrets, strict=True))


def hook() -> dict[str, Any]:
    """Return what the hook defines, with answers that choose nothing."""
    answers: dict[str, Any] = {"_manifest": {"destinations": {}, "options": {}}}
    source = (ROOT / "hooks" / "post_gen_project.py").read_text(encoding="ascii")
    namespace: dict[str, Any] = {"__name__": "hook"}
    exec(source.replace("{{ cookiecutter | tojson }}", json.dumps(answers)), namespace)
    return namespace
