"""`--harm` of gate and survey: from which harm on something that was shown ends with status 1."""

from typing import TYPE_CHECKING, Annotated, Literal

from mailrace.cli.options import sure_option

if TYPE_CHECKING:
    from mailrace.model.consequences import Harm


HarmOption = Annotated[
    Literal["stop", "data", "promise", "reply"],
    sure_option(
        "--harm", metavar="HARM", help="From which harm on the status is 1: stop, data, promise or reply."
    ),
]


def harm_of(word: str) -> "Harm":
    """The harm that a command line names."""
    from mailrace.model.consequences import Harm

    return Harm[word.upper()]
