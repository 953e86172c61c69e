{%- set manifest = cookiecutter._manifest.destinations -%}
{%- set modules = {
    "base": ["BatchDestination", "LogDestination", "LogEntry"],
    "buffered": ["BufferedDestination"],
    "composite": ["CompositeDestination"],
    "console": ["ConsoleDestination"],
    "retry": ["RetryWrapper"],
} -%}
{%- set chosen = [] -%}
{%- set names = ["DestinationSettings"] -%}
{%- for name, entry in manifest.items() if cookiecutter[entry.role ~ "_log_destination"] in (name, "all") -%}
{%- set _ = chosen.append(name) -%}
{%- set _ = modules.update({name: [entry.class ~ "Destination", entry.class ~ "Settings"]}) -%}
{%- endfor -%}
{%- for exported in modules.values() -%}
{%- set _ = names.extend(exported) -%}
{%- endfor -%}
{%- macro classes(role) -%}
{%- for name in chosen | sort if manifest[name].role == role %}
    "{{ name }}": {{ manifest[name].class }}Destination,
{%- if loop.last %}
{% endif %}
{%- endfor -%}
{%- endmacro -%}
"""The destinations of this project and their wrappers. Importing them does not import any driver."""

from __future__ import annotations
{% if not chosen %}
from ..settings import LogSettings
{%- endif %}
{%- for module, exported in modules | dictsort %}
from .{{ module }} import {{ exported | join(", ") }}
{%- endfor %}

__all__ = [
    "LOCAL",
    "PRODUCTION",
{%- for name in names | sort(case_sensitive=true) %}
    "{{ name }}",
{%- endfor %}
]


class DestinationSettings(
{%- for name in chosen | sort %}
    {{ manifest[name].class }}Settings,
{%- else %}
    LogSettings,
{%- endfor %}
):
    """The settings of logging and of all destinations in this project."""


LOCAL: dict[str, type[LogDestination]] = {{ "{" }}{{ classes("local") }}{{ "}" }}
"""Destinations on this machine."""
PRODUCTION: dict[str, type[LogDestination]] = {{ "{" }}{{ classes("production") }}{{ "}" }}
"""Destinations that LOG_DESTINATION_TYPE selects."""
