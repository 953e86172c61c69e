{%- set manifest = cookiecutter._manifest.destinations -%}
{%- set chosen = [] -%}
{%- for name, entry in manifest.items() if cookiecutter[entry.role ~ "_log_destination"] in (name, "all") -%}
{%- set _ = chosen.append(name) -%}
{%- endfor -%}
{%- set verbs = [] -%}
{%- for name, option in cookiecutter._manifest.options.items() if "verb" in option and cookiecutter[name] == "yes" -%}
{%- set _ = verbs.append(option) -%}
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
"""The answers given when this project was generated: names and default settings."""

from __future__ import annotations

COMMAND = "{{ cookiecutter.__dist_name }}"
TITLE = {{ text(cookiecutter.project_name) }}
DESCRIPTION = {{ text(cookiecutter.description) }}
OPTIONAL_VERBS: dict[str, str] = {% if verbs %}{
{%- for option in verbs %}
    "{{ option.verb }}": "{{ option.summary }}",
{%- endfor %}
}{% else %}{}{% endif %}
"""Verbs of the command that you chose, and their meaning; each is a package in `cli/`."""

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
"""Default settings; options, environment and files take precedence."""
