"""What Convex's test modules share: the deployment under test, a key, and entries as they are sent."""

from __future__ import annotations

import os
from typing import Any

import orjson

from {{cookiecutter.project_slug}}.logging.destinations.convex.encoding import encode_requests

URL = os.environ.get("TEST_CONVEX_URL", "http://127.0.0.1:3211")
KEY = os.environ.get("TEST_CONVEX_API_KEY", "local-test-key")
SECRET = "s3cret-key"


def documents(*entries: Any) -> list[dict[str, Any]]:
    """Return entries as they are sent."""
    return [log for _, logs in encode_requests(entries) for log in orjson.loads(logs)]
