"""Create the table POSTGRES_TABLE in POSTGRES_DSN as soon as a line arrives on stdin."""

import asyncio
import os
import sys

from pydantic import SecretStr

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination, PostgresSettings


async def main() -> None:
    """Announce readiness, wait for the line, create the table."""
    dsn, table = SecretStr(os.environ["POSTGRES_DSN"]), os.environ["POSTGRES_TABLE"]
    destination = PostgresDestination(PostgresSettings(postgres_dsn=dsn, postgres_table=table))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    await destination.open()
    await destination.close()


asyncio.run(main())
