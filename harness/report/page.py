"""Takes a RunResult; gives report.html."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.model.result import RunResult
from harness.report.words import control_words, headline, legible, not_looked, rate_words


def page(result: RunResult) -> str:
    """The text of report.html."""
    made = Environment(
        loader=PackageLoader("harness.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    made.filters.update(legible=legible, rate=rate_words, control=control_words)
    return made.get_template("report.html.j2").render(
        run=result, headline=headline(result), not_looked=not_looked(result)
    )
