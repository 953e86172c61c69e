"""Print name, default and description of each setting of the package that the argument names, as JSON.

Needs only the project's requirements, so that the environment of a baked project runs it.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module


def as_text(value: object) -> object:
    """Return a default that JSON cannot express as text, also that of a secret."""
    return getattr(value, "get_secret_value", value.__str__)()


if __name__ == "__main__":
    fields = import_module(f"{sys.argv[1]}.config").ServerConfig.model_fields
    settings = [[name, field.get_default(), field.description] for name, field in fields.items()]
    print(json.dumps(settings, default=as_text))
