"""The index template and its upgrade."""

from __future__ import annotations

from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.schema import (
    index_template,
    upgraded_template,
)

from .elasticsearch_helpers import SCHEMA_1


def test_the_template_of_a_longer_prefix_has_a_higher_priority() -> None:
    """Two templates that match the same index never have the same priority."""
    assert index_template("mcp-logs")["priority"] > index_template("mcp")["priority"]


def test_an_upgraded_template_has_the_fields_of_a_new_one() -> None:
    """With the same types; nothing of the older version is left."""
    assert upgraded_template(SCHEMA_1) == index_template("mcp-logs")


def test_an_upgraded_template_keeps_what_an_administrator_changed() -> None:
    """What only a reply may have, such as a date of creation, is left out."""
    template = {**SCHEMA_1["template"], "settings": {"index": {"lifecycle": {"name": "logs"}}}}
    changed = {**SCHEMA_1, "priority": 900, "composed_of": ["ours"], "template": template}
    upgraded = upgraded_template({**changed, "created_date_millis": 0})
    assert upgraded == {
        **changed,
        "version": index_template("mcp-logs")["version"],
        "template": {**template, "mappings": index_template("mcp-logs")["template"]["mappings"]},
    }


def test_a_template_without_a_mapping_can_be_upgraded() -> None:
    """An administrator may have moved the mapping into a component template."""
    upgraded = upgraded_template({"index_patterns": ["mcp-logs-*"], "version": 1, "composed_of": ["ours"]})
    assert "traceback" in upgraded["template"]["mappings"]["properties"]
