"""From a file to a `Scenario` or all of its mistakes with their places; from that and a seed to a `Plan`."""

from mailrace.scenario.find import SHIPPED, find, name_of, resolve, shipped
from mailrace.scenario.load import load, parse, scenario_from
from mailrace.scenario.needs import applies, blank_result, not_exercised, why_not_applicable
from mailrace.scenario.own_tags import why_vacuous, with_what_was_changed
from mailrace.scenario.plan import Plan, any_round, new_run
from mailrace.scenario.scenario import Scenario, server_options
from mailrace.scenario.schema import schema_text
from mailrace.scenario.template import template

__all__ = [
    "SHIPPED",
    "Plan",
    "Scenario",
    "any_round",
    "applies",
    "find",
    "load",
    "name_of",
    "new_run",
    "blank_result",
    "not_exercised",
    "parse",
    "resolve",
    "scenario_from",
    "schema_text",
    "server_options",
    "shipped",
    "template",
    "why_vacuous",
    "why_not_applicable",
    "with_what_was_changed",
]
