"""`python -m mailrace.embedded`: the flags of Mailpit that we use, to a server until it is ended."""

import argparse
import asyncio
import gc
import os
import signal
import sys
import tempfile
from pathlib import Path

from mailrace.embedded.driver import StatementFailed
from mailrace.embedded.log import log
from mailrace.embedded.settings import Address, Settings, TagSources
from mailrace.embedded.versions import VERSIONS

FAILED = 4
"""The exit status where it cannot serve, as of all commands of mailrace: 1 would say that there is a race."""


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    try:
        host.encode("idna")
    except UnicodeError:
        colon = ""
    if not colon or not port.isdecimal() or int(port[:6]) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; give HOST:PORT, e.g. 127.0.0.1:1025")
    return host.strip("[]") or "0.0.0.0", int(port)


def parser() -> argparse.ArgumentParser:
    """The flags; some have no effect here, and are accepted so that a Mailpit's command line fits."""
    flags = argparse.ArgumentParser(prog="embedded", description=__doc__, allow_abbrev=False)
    flags.add_argument("--version-of", choices=list(VERSIONS), default="fixed", help="which one to be")
    flags.add_argument("-s", "--smtp", type=_address, default=("127.0.0.1", 1025), metavar="HOST:PORT")
    flags.add_argument("-l", "--listen", type=_address, default=("127.0.0.1", 8025), metavar="HOST:PORT")
    flags.add_argument("-d", "--database", default="", help="a file, or http://HOST:PORT of an rqlite")
    flags.add_argument("--seed", type=int, default=0, help="of the draw among several waiters")
    flags.add_argument("--ignore-duplicate-ids", action="store_true")
    flags.add_argument("--tags-disable", default="", metavar="plus-addresses,x-tags")
    flags.add_argument("--smtp-auth-file", type=Path, help="lines of name:password, in plain text")
    flags.add_argument("--pop3", type=_address, default=("127.0.0.1", 1110), metavar="HOST:PORT")
    flags.add_argument("--pop3-auth-file", type=Path, help="the same for POP3, which there is with it only")
    flags.add_argument("--smtp-relay-config", type=Path, help="lines of `host: HOST` and `port: PORT`")
    flags.add_argument("--smtp-auth-accept-any", action="store_true")
    flags.add_argument("-m", "--max", type=int, default=0, help="without effect: nothing is pruned")
    for name in (
        "smtp-disable-rdns",
        "disable-version-check",
        "smtp-auth-allow-insecure",
        "quiet",
        "verbose",
    ):
        flags.add_argument(f"--{name}", action="store_true", help="without effect")
    return flags


def _passwords(file: Path | None) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8").split() if file else []
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _relay(file: Path | None) -> Address | None:
    """Where the relay is that the file names, by its lines `host:` and `port:`."""
    if file is None:
        return None
    pairs = (line.partition(":") for line in file.read_text(encoding="utf-8").splitlines())
    told = {name.strip(): value.strip() for name, _, value in pairs}
    return told["host"], int(told.get("port", "25"))


def settings_from(given: argparse.Namespace, database: str) -> Settings:
    """Settings from parsed flags."""
    disabled = [word.strip() for word in given.tags_disable.split(",")]
    return Settings(
        version=VERSIONS[given.version_of],
        database=database,
        smtp=given.smtp,
        http=given.listen,
        ignore_duplicate_ids=given.ignore_duplicate_ids,
        tag_sources=TagSources(
            x_tags="x-tags" not in disabled, plus_addresses="plus-addresses" not in disabled
        ),
        passwords=_passwords(given.smtp_auth_file),
        pop3=given.pop3,
        pop3_passwords=_passwords(given.pop3_auth_file),
        relay=_relay(given.smtp_relay_config),
        accepts_any_login=given.smtp_auth_accept_any,
        seed=given.seed,
    )


async def serve(settings: Settings) -> int:
    """Run one instance until SIGINT or SIGTERM; returns the exit status."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    # Collecting while modules are imported finds nothing and costs a tenth of the start.
    gc.disable()
    # aiohttp reads the system's certificates when it is imported, a fifth of the start, and we need none.
    os.environ.setdefault("SSL_CERT_FILE", os.devnull)
    from mailrace.embedded.server import Server

    server = Server(settings)
    try:
        await server.start()
    except (StatementFailed, OSError) as error:
        log("fatal", str(error))
        return FAILED
    gc.freeze()
    gc.enable()
    await ended.wait()
    return 0  # the process ends here: nothing hung is waited for


def main() -> int:
    """Parse the flags and serve; a database that is not named is temporary."""
    given = parser().parse_args()
    if given.database:
        return asyncio.run(serve(settings_from(given, given.database)))
    with tempfile.TemporaryDirectory(prefix="mailrace-embedded-") as folder:
        return asyncio.run(serve(settings_from(given, str(Path(folder) / "mailpit.db"))))


if __name__ == "__main__":
    sys.exit(main())
