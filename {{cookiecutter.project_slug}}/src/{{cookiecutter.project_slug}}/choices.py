{%- set manifest = cookiecutter._manifest.destinations -%}
{%- set chosen = [] -%}
{%- for name, entry in manifest.items() if cookiecutter[entry.role ~ "_log_destination"] in (name, "all") -%}
{%- set _ = chosen.append(name) -%}
{%- endfor -%}
{%- macro text(value) -%}
{%- set quote = "'" if value.count('"') > value.count("'") else '"' -%}
{{ quote }}{{ value | replace("\\", "\\\\") | replace(quote, "\\" ~ quote) }}{{ quote }}
{%- endmacro -%}
{%- macro without_password(url) -%}
{%- set address, mark, query = url.partition("?") -%}
{%- set user, at, host = address.rpartition("@") -%}
{%- set scheme, colon, name = user.partition("://") -%}
{{ scheme ~ colon ~ name.partition(":")[0] ~ at ~ host ~ mark ~ query }}
{%- endmacro -%}
{%- macro builders(role) -%}
{%- for name in chosen | sort if manifest[name].role == role %}
    "{{ name }}": {{ manifest[name].class }}Destination.from_config,
{%- if loop.last %}
{% endif %}
{%- endfor -%}
{%- endmacro -%}
"""What was chosen when this project was generated: the one module made from the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING
{% for name in chosen | sort %}
from .logging.destinations.{{ name }} import {{ manifest[name].class }}Destination, {{ manifest[name].class }}Settings
{%- endfor %}
{%- if not chosen %}
from .logging.settings import LogSettings
{%- endif %}

if TYPE_CHECKING:
    from collections.abc import Callable

    from .logging.destinations.base import LogDestination

COMMAND = "{{ cookiecutter.__dist_name }}"
TITLE = {{ text(cookiecutter.project_name) }}
DESCRIPTION = {{ text(cookiecutter.description) }}


class DestinationSettings(
{%- for name in chosen | sort %}
    {{ manifest[name].class }}Settings,
{%- else %}
    LogSettings,
{%- endfor %}
):
    """The settings of the destinations that were chosen, and of logging as such."""


LOCAL: dict[str, Callable[[DestinationSettings], LogDestination]] = {{ "{" }}{{ builders("local") }}{{ "}" }}
PRODUCTION: dict[str, Callable[[DestinationSettings], LogDestination]] = {{ "{" }}{{ builders("production") }}{{ "}" }}
{%- if chosen | length == 1 %}
DESTINATIONS: tuple[type[LogDestination], ...] = ({{ manifest[chosen[0]].class }}Destination,)
{%- else %}
DESTINATIONS: tuple[type[LogDestination], ...] = (
{%- for name in chosen | sort %}
    {{ manifest[name].class }}Destination,
{%- if loop.last %}
{% endif %}
{%- endfor -%}
)
{%- endif %}
DEFAULTS: dict[str, object] = {
    "log_level": "{{ cookiecutter.log_level }}",
    "log_retention_days": {{ cookiecutter.log_retention_days | int }},
    "log_retry_attempts": {{ cookiecutter.log_retry_attempts | int }},
    "log_retry_delay_ms": {{ cookiecutter.log_retry_delay_ms | int }},
{%- if cookiecutter.production_log_destination not in ("none", "all") %}
    "log_destination_type": "{{ cookiecutter.production_log_destination }}",
{%- endif %}
{%- for name in chosen | sort %}
{%- for answer in manifest[name].answers %}
    "{{ answer }}": {{ text(without_password(cookiecutter[answer]) if answer == "postgres_dsn" else cookiecutter[answer]) }},
{%- endfor %}
{%- endfor %}
}
"""Defaults that the answers set; environment, files and options come before them."""
