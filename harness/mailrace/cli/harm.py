"""`--harm` of gate and survey: from which harm on something that was shown ends with status 1."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli.options import SURE

if TYPE_CHECKING:
    from mailrace.model.consequences import Harm


class HarmWord(StrEnum):
    """The worst first, each as it is written on a command line."""

    stop = "stop"
    data = "data"
    promise = "promise"
    reply = "reply"

    @property
    def harm(self) -> "Harm":
        """The harm itself."""
        from mailrace.model.consequences import Harm

        return Harm.STOP if self is HarmWord.stop else Harm(self.value)


HarmOption = Annotated[
    HarmWord,
    typer.Option(
        "--harm",
        metavar="HARM",
        rich_help_panel=SURE,
        help="From which harm on the status is 1: stop, data, promise or reply.",
    ),
]
