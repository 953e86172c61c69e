"""Where the four production destinations of a server are sent."""

from __future__ import annotations

PRODUCTION = "kafka,elasticsearch,postgres,convex"
NAMES = tuple(PRODUCTION.split(","))


def every_backend(port: int, *, scheme: str = "http") -> dict[str, str]:
    """Return the settings that send every production destination to one port of this machine."""
    secure = scheme == "https"
    return {
        "ENABLE_PRODUCTION_LOGGING": "true",
        "LOG_DESTINATION_TYPE": PRODUCTION,
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}",
        "KAFKA_SECURITY_PROTOCOL": "SSL" if secure else "PLAINTEXT",
        "ELASTICSEARCH_HOSTS": f"{scheme}://127.0.0.1:{port}",
        "POSTGRES_DSN": f"postgresql://tester@127.0.0.1:{port}/logs?sslmode={'verify-full' if secure else 'disable'}",
        "CONVEX_ENDPOINT_URL": f"{scheme}://127.0.0.1:{port}",
        "CONVEX_API_KEY": "sample-convex-key",
    }


def http_backends(port: int, *, scheme: str = "http", host: str = "127.0.0.1") -> dict[str, str]:
    """Return the settings that send the destinations which speak HTTP to one port."""
    return {
        "ENABLE_PRODUCTION_LOGGING": "true",
        "LOG_DESTINATION_TYPE": "elasticsearch,convex",
        "ELASTICSEARCH_HOSTS": f"{scheme}://{host}:{port}",
        "CONVEX_ENDPOINT_URL": f"{scheme}://{host}:{port}",
        "CONVEX_API_KEY": "sample-convex-key",
    }


def faulty(*classes: str) -> dict[str, str]:
    """Return the settings that switch on destinations of `fixtures/faulty.py`."""
    kinds = ",".join(f"faulty:{kind}" for kind in classes)
    return {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_DESTINATION_TYPE": kinds}
