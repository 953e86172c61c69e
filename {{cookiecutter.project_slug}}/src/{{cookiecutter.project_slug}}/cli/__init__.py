"""The command: no verb serves; `logs` and `doctor` look at what was recorded and at what is configured."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from ..config import load_config
from ..logging.errors import LoggingError
from .options import parse

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for what failed, 2 for what was asked wrongly."""
    options, settings = parse(argv)
    try:
        config = load_config(**settings)
        if options.verb == "logs":
            from .logs import run_logs  # noqa: PLC0415 - a verb's imports are paid by that verb only

            return asyncio.run(run_logs(options, config))
        if options.verb == "doctor":
            from .doctor import run_doctor  # noqa: PLC0415

            return asyncio.run(run_doctor(config))
        from ..server.serve import serve  # noqa: PLC0415

        return serve(config)
    except LoggingError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
