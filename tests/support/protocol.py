"""Messages of the protocol, for tests that speak it without the SDK."""

from __future__ import annotations

from typing import Any

INITIALIZE: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "raw", "version": "1.2"},
}
"""The parameters of the first request of a session."""
