"""Takes filters; gives the Jinja environment for this folder's templates, the same for every format."""

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(*, autoescape: bool = False, **filters: Callable[..., object]) -> Environment:
    """The environment: a name that nobody gave is an error, and block tags leave no empty lines.

    autoescape   for HTML only. In any other format the template escapes each value by a filter of that format
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
