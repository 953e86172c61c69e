"""The environment variables of TLS: one that names a missing file is reported by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.tls_variables import check_tls_variables, unusable_tls_variable
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"])
def test_a_missing_file_is_named(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare "[Errno 2] No such file or directory" would not say which."""
    monkeypatch.setenv(variable, "/nowhere/file")
    sentence = f"^The environment variable {variable} is '/nowhere/file': No such file or directory; use a .* unset it$"
    with pytest.raises(DeliveryError, match=sentence) as caught:
        check_tls_variables()
    assert type(caught.value) is DeliveryError, "the file may appear while entries wait"


def test_a_file_without_certificates_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example, one that is empty."""
    path = tmp_path / "ca.pem"
    path.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert f"SSL_CERT_FILE is '{path}': it contains no PEM certificate" in (unusable_tls_variable() or "")


def test_usable_variables_are_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So are empty ones, which count as unset."""
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path}{os.pathsep}{Path.cwd()}")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert unusable_tls_variable() is None
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.setenv(variable, "")
    assert unusable_tls_variable() is None
