"""Takes filters; gives the Jinja environment over this folder's templates, alike for every format."""

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(*, autoescape: bool = False, **filters: Callable[..., object]) -> Environment:
    """A name that a template uses and nobody gave is an error, and block tags leave no lines behind.

    autoescape   for HTML only: elsewhere a filter of the format's own escapes each value
    """
    made = Environment(
        loader=PackageLoader("mailrace.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=autoescape,
    )
    made.filters.update(filters)
    return made


def filled(made: Environment, template: str, **values: object) -> str:
    """The text of a template with these values."""
    return made.get_template(template).render(**values)
