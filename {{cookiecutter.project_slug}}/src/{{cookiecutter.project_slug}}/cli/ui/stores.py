"""What the destinations of this project hold."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...logging.destinations import LOCAL, PRODUCTION
from ...logging.entry import iso_utc
from ...logging.errors import LoggingError, SettingError
from ...logging.factory import create_destination, enabled_names
from ..reading import one_sentence

if TYPE_CHECKING:
    from ...config import ServerConfig

PATIENCE = 5.0
"""Seconds that a destination has to answer."""


class Stores:
    """The destinations of a project, apart from the one that the page reads."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._enabled = enabled_names(config)

    def names(self) -> dict[str, bool]:
        """Return the destinations by name, and whether each is enabled."""
        names = dict.fromkeys([*filter(None, self._enabled), *LOCAL, *PRODUCTION])
        return {name: name in self._enabled for name in names}

    async def describe(self, name: str) -> dict[str, Any]:
        """Return what a destination holds, or what is wrong with it; raise SettingError for an unknown name."""
        if name not in self.names():
            msg = f"the destination must be one of {', '.join(self.names())}, not {name!r}"
            raise SettingError(msg)
        return await _describe(name, self._config)


async def _describe(name: str, config: ServerConfig) -> dict[str, Any]:
    try:
        destination = create_destination(name, config)
        try:
            async with asyncio.timeout(PATIENCE):
                with one_sentence(destination):
                    contents = asdict(await destination.contents())
        finally:
            await destination.close()
    except NotImplementedError as error:
        return {"note": str(error)}
    except TimeoutError:
        return {"problem": f"{name} did not answer within {PATIENCE:g} s"}
    except LoggingError as error:
        return {"problem": str(error)}
    ends = {end: moment and iso_utc(moment) for end in ("oldest", "newest") for moment in [contents[end]]}
    return {**contents, **ends}
