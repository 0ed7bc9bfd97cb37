"""Keeps outcomes of cells in a folder, a file for each key, so that a campaign can go on from there."""

import json
from pathlib import Path

from mailrace import __version__
from mailrace.campaign.cell import BYTES_MAX, Cell, Outcome, outcome_from, text_of
from mailrace.history import make_folder, read_regular, write_whole
from mailrace.model.errors import UsageError

CELLS = "cells"
"""The folder, in the command's own, that holds outcomes until the command has come to its end."""
STATE = "campaign.json"


class Kept:
    """The folder, opened to go on. Raises UsageError where it holds something else, or another seed's cells.

    What is in there may come from anybody: an outcome is read as one that a worker sends.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        held = seed_of(folder)
        if held is not None and held != seed:
            raise UsageError(
                f"{folder}: its cells are of seed {held}; give --seed {held}, or another --state"
            )
        if held is None:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise UsageError(f"--state {folder}: holds something else; name a new or an empty folder")
            make_folder("--state", folder)
            text = json.dumps({"mailrace": __version__, "seed": seed})
            write_whole(folder / STATE, text.encode() + b"\n")

    def outcome(self, cell: Cell) -> Outcome | None:
        """What came of the cell before; None where that is not known, or cannot be read."""
        path = self.folder / f"{cell.key}.json"
        try:
            return outcome_from(read_regular(path, 2 * BYTES_MAX).decode("utf-8"), cell)
        except (OSError, ValueError, UsageError):
            return None

    def keep(self, outcome: Outcome) -> None:
        """Keep what came of a cell, where another try would come to the same."""
        if outcome.is_whole and not outcome.why:
            write_whole(self.folder / f"{outcome.key}.json", text_of(outcome).encode())


def seed_of(folder: Path) -> int | None:
    """The seed of the campaign that the folder keeps; None where it keeps none.

    Raises UsageError where its campaign.json is none of ours.
    """
    path = folder / STATE
    if not path.is_file():
        return None
    try:
        seed = json.loads(read_regular(path, 10_000))["seed"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        seed = None
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise UsageError(f"{path}: no state of a campaign; name another folder with --state")
    return seed
