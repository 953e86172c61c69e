"""Print the tables of redaction of the package that the argument names, as JSON."""

from __future__ import annotations

import json
import sys
from importlib import import_module

if __name__ == "__main__":
    tables = import_module(f"{sys.argv[1]}.logging.redaction.tables")
    rows = {
        "keys": [[row.name, row.example, row.survives] for row in tables.KEY_WORDS],
        "issuers": [[row.name, row.example] for row in tables.ISSUED_KEYS],
        "places": [[row.name, row.example, row.survives] for row in tables.PLACES],
    }
    print(json.dumps(rows))
