"""Takes a target's name; gives the target, or why it is not available."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from mailrace.model.errors import MailraceError, TargetError
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Target, VersionSource
from mailrace.model.target_name import EMBEDDED_VERSIONS, TargetName, parse_target
from mailrace.targets.external import ExternalTarget
from mailrace.targets.mailpit import Binary, at_hand, binary_at, examine, find, install
from mailrace.targets.managed import ManagedTarget, Program
from mailrace.targets.ready import WAITS, Waits


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """A target that is available without installing: the name to ask for it by, and what is known of it."""

    name: str
    version: str
    source: VersionSource
    place: str


def open_target(
    name: str | TargetName,
    options: ServerOptions,
    *,
    gomaxprocs: int | None = None,
    folder: Path | None = None,
    database: str | None = None,
    waits: Waits = WAITS,
) -> Target:
    """The target of that name, not started.

    gomaxprocs   `GOMAXPROCS` of a server of ours; default: the CPUs, at least 4
    folder       where `server.log` of a server of ours is appended; default: a private one
    database     `--database` of a server of ours, such as the address of a database proxy
    waits        how long it is waited for when it starts or is asked
    Raises UsageError for a name that means nothing, TargetError for a target that is not available.
    """
    wanted = parse_target(name)
    if wanted.kind == "url":
        return ExternalTarget(wanted.url, waits)
    # The embedded reference and the real server take the same flags, so only the program differs.
    return ManagedTarget(
        wanted.text,
        _program(wanted),
        options,
        gomaxprocs=gomaxprocs,
        folder=folder,
        database=database,
        waits=waits,
    )


def why_not(name: str | TargetName) -> str:
    """ "" if the target is available without installing anything, else the reason."""
    try:
        wanted = parse_target(name)
        if wanted.kind == "mailpit":
            binary, reason = find(wanted.version)
            return "" if binary else f"{wanted.text}: {reason}"
        if wanted.kind == "file":
            binary_at(wanted.path)
    except MailraceError as error:
        return str(error)
    return ""


def targets_at_hand() -> tuple[AtHand, ...]:
    """What is available without installing, the embedded reference first; real programs by where they are."""
    found = [
        AtHand(
            name=f"embedded@{version}",
            version=version,
            source=VersionSource.EMBEDDED,
            place="the embedded reference",
        )
        for version in EMBEDDED_VERSIONS
    ]
    for place, binary in at_hand():
        name = f"mailpit@{binary.version}" if binary.source.is_known else f"mailpit:{binary.path}"
        found.append(
            AtHand(name=name, version=binary.version, source=binary.source, place=f"{place}: {binary.path}")
        )
    return tuple(found)


def _program(wanted: TargetName) -> Program:
    if wanted.kind == "embedded":
        return Program(
            command=(
                sys.executable,
                *("-X", "frozen_modules=on"),
                *("-P", "-m", "mailrace.embedded", "--version-of", wanted.version),
            ),
            version=wanted.version,
            source=VersionSource.EMBEDDED,
        )
    if wanted.kind == "file":
        return _of(binary_at(wanted.path))
    binary, reason = find(wanted.version)
    if binary is None and os.environ.get("MAILPIT_BIN"):
        raise TargetError(
            f"{wanted.text}: {reason}; unset MAILPIT_BIN to have it installed, or ask for the version it is"
        )
    return _of(binary or examine(install(wanted.version)))


def _of(binary: Binary) -> Program:
    return Program(
        command=(str(binary.path),), version=binary.version, source=binary.source, flags=binary.flags
    )
