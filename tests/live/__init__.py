"""The production destinations for real: a baked project with everything on against live backends.

What arrived is always read back by something else than the project: confluent-kafka, httpx, asyncpg,
the shipped Convex functions, sqlite3.
"""
