"""A driver of a newer major version than the one that is installed by default."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from scripts.project import uv
from tests.generation.combinations import ALONE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backends import Elasticsearch
    from tests.conftest import Baked


def test_elasticsearch_works_with_its_client_of_version_9(
    baked: Baked, elasticsearch_9: Elasticsearch, tmp_path: Path
) -> None:
    """It cannot talk to a cluster of version 8, so it is not the default; who installs it afterwards is served as well.

    All tests of the destination run with it, with those against a cluster of version 9.
    """
    project = baked(ALONE["elasticsearch alone"])
    python = tmp_path / "venv" / "bin" / "python"
    uv("venv", tmp_path / "venv", "--python", sys.executable)
    uv("pip", "install", "--python", python, "--editable", f"{project}[dev]")
    uv("pip", "install", "--python", python, "elasticsearch[async]>=9,<10")
    options: list[str | Path] = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "",
        "-k",
        "elasticsearch",
        "--basetemp",
        tmp_path / "own",
    ]
    done = subprocess.run(
        [python, "-m", "pytest", *options],
        cwd=project,
        env={**os.environ, "TEST_ELASTICSEARCH_HOSTS": elasticsearch_9.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " skipped" not in done.stdout
    version = "import elasticsearch; print(elasticsearch.__version__[0])"
    assert subprocess.run([python, "-c", version], capture_output=True, text=True, check=True).stdout == "9\n"
