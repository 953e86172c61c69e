"""The short help of the command. It imports nothing slow, so that `--help` answers at once."""

from __future__ import annotations

from ..choices import COMMAND, DESCRIPTION, OPTIONAL_VERBS

VERBS = {
    "serve": "serve MCP clients (the default)",
    "logs": "list recorded entries, show one call, summarise or resend",
    "call": "call one tool and print its result",
    "doctor": "check the configuration, the tools and the destinations",
    **OPTIONAL_VERBS,
}
OPTIONS = {
    "-h, --help": "show this help; behind a verb, the options of the verb",
    "--help-settings": "show the settings of the server, which are options, too",
    "--version": "show the version",
    "--config FILE": "a YAML file of settings",
    "--transport NAME": "stdio, streamable-http or sse",
    "--log-level LEVEL": "minimum log level, TRACE to CRITICAL",
}
"""The options that most people need."""


def overview() -> str:
    """Return the verbs and the most common options."""
    return "\n".join(
        [
            f"usage: {COMMAND} [VERB] [OPTIONS]",
            "",
            f"{DESCRIPTION.rstrip('.')}. Without a verb, serve.",
            "",
            "verbs:",
            *_rows(VERBS),
            "",
            "options:",
            *_rows(OPTIONS),
        ]
    )


def _rows(meanings: dict[str, str]) -> list[str]:
    return [f"  {name:<18}  {meaning}" for name, meaning in meanings.items()]
