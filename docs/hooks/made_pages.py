"""MkDocs' hook: fills the marks `<!-- made: … -->` of the pages with what the code itself says.

A mark stands for commands, scenario keys, fields of run.json, or the plugin's options and fixtures;
the page of the races gets its pictures, and each kept survey a page. Nothing that is made is kept in
the repository.
"""

import re
from collections.abc import Callable
from typing import Any

from made_commands import commands
from made_fields import report_fields, scenario_keys
from made_plugin import fixtures, plugin_options
from made_races import races
from made_surveys import survey_pages, surveys
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel

MADE: dict[str, Callable[[], str]] = {
    "commands": commands,
    "fixtures": fixtures,
    "plugin options": plugin_options,
    "races": races,
    "report fields": report_fields,
    "scenario keys": scenario_keys,
    "surveys": surveys,
}
MARK = re.compile(r"<!-- made: ([a-z ]+) -->(?:\n.*?\n<!-- end of what is made -->)?", re.DOTALL)
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ARROW = re.compile(r" *(\w+)(?:\[.*?\])? --[->] (\w+)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page with its marks filled. Raises KeyError for a mark that nobody makes."""
    if page.file.src_uri == "races.md":
        return races()
    return MARK.sub(lambda found: MADE[found[1]](), DIAGRAM.sub(_arrows, markdown))


def on_files(files: Files, *, config: MkDocsConfig, **_: Any) -> Files:
    """The site's files, with a page of each kept survey."""
    for place, page in survey_pages().items():
        files.append(File.generated(config, place, content=page, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def _arrows(diagram: re.Match[str]) -> str:
    """A diagram as a table of its arrows: to draw it, the page would need a program from elsewhere."""
    room, rows = "", ["| room | from | to |", "|---|---|---|"]
    for line in diagram[1].splitlines():
        if line.strip() == "end":
            room = ""
        elif found := re.match(r" *subgraph (\w+)", line):
            room = f"`{found[1]}`"
        elif found := ARROW.match(line):
            rows.append(f"| {room} | `{found[1]}` | `{found[2]}` |")
    return "\n".join(rows)


def on_post_page(output: str, **_: Any) -> str:
    """The page with a name for its search dialog, which the theme leaves without one."""
    return output.replace(
        'data-md-component="search" role="dialog"',
        'data-md-component="search" role="dialog" aria-label="Search"',
    )
