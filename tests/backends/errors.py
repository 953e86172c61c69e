"""What goes wrong with a backend: `BackendError`, and below it `SoftwareError`."""

from __future__ import annotations


class BackendError(Exception):
    """A backend that a test needs cannot be had."""


class SoftwareError(BackendError):
    """What a backend is made of cannot be downloaded or compiled."""
