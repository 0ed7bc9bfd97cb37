"""A scenario file to a `Scenario`, every mistake at once with its place; Scenario and seed to a `Plan`."""

from harness.scenario.find import find, name_of, resolve, shipped
from harness.scenario.load import load, parse, scenario_from
from harness.scenario.needs import applies
from harness.scenario.plan import Plan, new_run
from harness.scenario.scenario import Scenario, server_options
from harness.scenario.schema import schema, schema_text
from harness.scenario.template import template

__all__ = [
    "Plan",
    "Scenario",
    "applies",
    "find",
    "load",
    "name_of",
    "new_run",
    "parse",
    "resolve",
    "scenario_from",
    "schema",
    "schema_text",
    "server_options",
    "shipped",
    "template",
]
