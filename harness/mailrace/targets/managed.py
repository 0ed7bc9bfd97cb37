"""Takes a program and its options; gives private servers of ours: own database, own ports, own log.

One class serves both the real Mailpit and the embedded reference, which takes the same flags. They differ
only in the command and what is known of it (`Program`).
"""

import http.client
import os
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mailrace.model.attempt import LogLine, Stored
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Addresses, Credentials, Liveness, TargetInfo, VersionSource
from mailrace.targets import belongings
from mailrace.targets.api import Api
from mailrace.targets.machine import full_disk, lacking_in
from mailrace.targets.passwords import password_file
from mailrace.targets.process import ServerProcess
from mailrace.targets.ready import WAITS, Waits, is_pop3, look, rest_status, smtp_greeting
from mailrace.targets.stored import OverRest, stored_by_list, stored_by_search

if TYPE_CHECKING:
    from mailrace.targets.sink import Sink

LOOK_S_EVERY = 0.004
PORT_TRIES_MAX = 5
LOG_NAME = "server.log"
POP3_LOGIN = ("mailrace", "mailrace")
"""The login of a throw-away server, which listens on loopback only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is started: the command without its flags, its version, and the flags it knows.

    `flags` None: all that we use.
    """

    command: tuple[str, ...]
    version: str
    source: VersionSource
    flags: frozenset[str] | None = None


class ManagedTarget(OverRest):
    """A target that we start and stop (`mailrace.model.target.Target`).

    With `options.instances` over 1 there are as many processes on one `database`, which must then be an
    `http://` one (SQLite files are not shared: race S10); `addresses_all` has them all, in order of
    start. `folder` is where `server.log` is appended, else it is private and vanishes with `stop`.
    """

    is_ours = True

    def __init__(
        self,
        name: str,
        program: Program,
        options: ServerOptions,
        *,
        gomaxprocs: int | None = None,
        folder: Path | None = None,
        database: str | None = None,
        waits: Waits = WAITS,
    ) -> None:
        self.name = name
        self.addresses_all: tuple[Addresses, ...] = ()
        self._program = program
        self._options = options
        self._log_folder = folder
        self._database = database
        self._waits = waits
        self._gomaxprocs = gomaxprocs or max(4, os.cpu_count() or 1)
        self._processes: list[ServerProcess] = []
        self._folder: Path | None = None
        self._sink: Sink | None = None
        # All of this is known before the start: the program told its version when it was found.
        self.info = TargetInfo(
            name=name,
            version=program.version,
            version_source=program.source,
            storage="rqlite (database proxy)" if (database or "").startswith("http") else "sqlite",
            settings={**self._environment(), **options.shown()},
        )

    @property
    def addresses(self) -> Addresses:
        """Where the (first) started server listens."""
        if not self.addresses_all:
            raise TargetError(f"{self.name}: not started")
        return self.addresses_all[0]

    @property
    def credentials(self) -> Credentials:
        """The first of the users that the options gave the server, as any of them may send."""
        return Credentials(
            smtp=next(iter(self._options.smtp_auth.items()), None),
            pop3=POP3_LOGIN if self._options.pop3 else None,
        )

    def start(self) -> None:
        """Start it and wait until all ports of each process answer; 5 s at most. Again: a fresh one."""
        self.stop()
        flags = self._flags()
        belongings.sweep_once()
        self._folder = belongings.private_folder()
        with ExitStack() as opened:
            opened.callback(self.stop)
            arguments = ["--database", self._database or str(self._folder / "mailpit.db"), *flags]
            if self._options.smtp_auth:
                file = password_file(self.name, self._folder / "smtp-auth", self._options.smtp_auth)
                arguments += ["--smtp-auth-file", str(file)]
            if self._options.pop3:
                file = password_file(self.name, self._folder / "pop3-auth", dict([POP3_LOGIN]))
                arguments += [self._needed("--pop3-auth-file"), str(file)]
            if self._options.relay:
                arguments += [self._needed("--smtp-relay-config"), str(self._relay_file(self._folder))]
            self.addresses_all = tuple(self._start_one(arguments) for _ in range(self._options.instances))
            # All processes are ready, so none of this is undone.
            opened.pop_all()
        self._api = Api(self.addresses.api)

    def stop(self) -> None:
        """Kill it, and remove its database; a throw-away server loses nothing by SIGKILL."""
        self._close_api()
        self.addresses_all = ()
        processes, self._processes = self._processes, []
        try:
            for process in processes:
                process.stop()
        finally:
            if self._sink is not None:
                self._sink.close()
                self._sink = None
            if self._folder is not None:
                belongings.remove_folder(self._folder)
                self._folder = None

    def stored(self, domain: str, *, block: str = "") -> Stored:
        """Everything it holds, newest first; a block is searched for, all else is listed.

        Another run may use a database that was given from outside, so there only rows of that domain count.

        2,000 messages, 2 busy cores: by list 106 ms on 1.30.5 and 163 on 1.17.0, by search 135 and 266; a
        block out of them by search 38 and 60.
        """
        if block:
            return stored_by_search(self.api, domain, block)
        return stored_by_list(self.api, domain if self._database else "")

    def relayed(self) -> tuple[bytes, ...]:
        """What the relay of all its instances has got since the last call."""
        return self._sink.take() if self._sink is not None else ()

    def liveness(self, timeout_s: float = 2.0) -> Liveness:
        """DEAD once a process ended; HUNG where `/readyz`, which asks the database, is unanswered."""
        if not self._processes or any(process.exit_status() is not None for process in self._processes):
            return Liveness.DEAD
        looks = [look(addresses, timeout_s) for addresses in self.addresses_all]
        return next((seen for seen in looks if seen is not Liveness.ALIVE), Liveness.ALIVE)

    def log_since(self, t_ns: int) -> tuple[LogLine, ...]:
        """Log lines of all its processes read since then, in order of reading."""
        found = [line for process in self._processes for line in process.log_since(t_ns)]
        return tuple(sorted(found, key=lambda line: line.t_ns))

    def empty(self) -> None:
        """Delete everything it holds."""
        self.api.delete_all()

    def pid(self) -> int | None:
        """The process id of the (first) server; None while it is not started."""
        return self._processes[0].pid if self._processes else None

    def pids(self) -> tuple[int, ...]:
        """The process ids of all its servers, as in `addresses_all`."""
        return tuple(process.pid for process in self._processes)

    def how_it_ended(self) -> str:
        """How the first process that ended did: "exit status 1", "signal 11 (SIGSEGV)"; "" while all run."""
        return next((how for process in self._processes if (how := process.how_it_ended())), "")

    def trouble(self, since_ns: int) -> str:
        """What its machine did to it since that instant, in words; "" if nothing is seen."""
        outside = next((why for process in self._processes if (why := process.ended_from_outside())), "")
        if outside:
            return f"{self.name}: {outside}"
        if self._folder is not None and (full := full_disk(self._folder)):
            return f"{self.name}: {full}"
        lines = (lacking_in(line.text) for line in self.log_since(since_ns))
        return next((f"{self.name}: {why}" for why in lines if why), "")

    def _start_one(self, arguments: Sequence[str]) -> Addresses:
        """One process with ports of its own; a port that another takes meanwhile is a reason to try again."""
        for _ in range(PORT_TRIES_MAX):
            smtp, rest, pop3 = _free_ports()
            listens = ["--smtp", f"127.0.0.1:{smtp}", "--listen", f"127.0.0.1:{rest}"]
            listens += ["--pop3", f"127.0.0.1:{pop3}"] if self._options.pop3 else []
            process = self._spawn([*arguments, *listens])
            api, pop3 = f"http://127.0.0.1:{rest}", pop3 if self._options.pop3 else 0
            addresses = Addresses(smtp_host="127.0.0.1", smtp_port=smtp, api=api, pop3_port=pop3)
            self._processes.append(process)
            if self._await(process, addresses):
                return addresses
            self._processes.pop().stop()
        raise TargetError(f"{self.name}: its ports were taken by others {PORT_TRIES_MAX} times; try again")

    def _spawn(self, arguments: Sequence[str]) -> ServerProcess:
        assert self._folder is not None
        log_file = (self._log_folder or self._folder) / LOG_NAME
        return ServerProcess(
            [*self._program.command, *arguments], self._environment(), self._folder, log_file
        )

    def _environment(self) -> dict[str, str]:
        return {} if self._program.source is VersionSource.EMBEDDED else {"GOMAXPROCS": str(self._gomaxprocs)}

    def _await(self, process: ServerProcess, addresses: Addresses) -> bool:
        """True: its ports answer. False: one was taken. Raises TargetError on anything else."""
        # `missing` is what the server lacks so far; when its time is up, the error names it.
        ends = time.monotonic() + self._waits.ready_s
        missing = f"no greeting on 127.0.0.1:{addresses.smtp_port}"
        while (left_s := ends - time.monotonic()) > 0:
            has_ended = process.ended.wait(LOOK_S_EVERY)
            if "address already in use" in process.log_tail().lower():
                return False  # without its POP3 port a Mailpit goes on
            if has_ended:
                process.stop()
                raise TargetError(
                    f"{self.name}: its process ended at once ({process.how_it_ended()}); "
                    f"its last lines: {process.log_tail() or '(none)'}"
                )
            try:
                if not smtp_greeting(addresses, min(left_s, self._waits.look_s)).startswith("220"):
                    continue
                # SMTP greets. REST is looked at last, because it answers only when the store is open.
                missing = f"no POP3 greeting on 127.0.0.1:{addresses.pop3_port}"
                if addresses.pop3_port and not is_pop3(addresses, min(left_s, self._waits.look_s)):
                    continue
                missing = f"{addresses.api}/readyz is not 200"
                if rest_status(addresses, "/readyz", min(left_s, self._waits.look_s)) == 200:
                    return True
            except (OSError, http.client.HTTPException):
                continue
        raise TargetError(
            f"{self.name}: {missing} within {self._waits.ready_s:g} s; "
            f"its last lines: {process.log_tail() or '(none)'}"
        )

    def _flags(self) -> list[str]:
        """The flags that every run gives, those of the options, and no flag it does not know."""
        options = self._options
        if options.instances > 1 and not (self._database or "").startswith("http"):
            raise TargetError(
                f"{self.name}: {options.instances} instances need one rqlite store between them "
                "(they cannot share a SQLite file)"
            )
        found = ["--max", "0", "--smtp-disable-rdns"]
        if self._knows("--disable-version-check"):
            found.append("--disable-version-check")
        if options.ignore_duplicate_ids:
            found.append(self._needed("--ignore-duplicate-ids"))
        if options.tags_disable:
            found += [self._needed("--tags-disable"), ",".join(options.tags_disable)]
        if options.smtp_auth:
            found.append(self._needed("--smtp-auth-allow-insecure"))
        return [*found, *options.extra]

    def _relay_file(self, folder: Path) -> Path:
        """A relay that listens, and the settings file that names it to the server."""
        from mailrace.targets.sink import Sink  # aiosmtpd takes a while to import, and few runs need it

        self._sink = Sink()
        (file := folder / "relay.yaml").write_text(self._sink.settings)
        return file

    def _knows(self, flag: str) -> bool:
        return self._program.flags is None or flag in self._program.flags

    def _needed(self, flag: str) -> str:
        if not self._knows(flag):
            raise TargetError(
                f"{self.name}: {self._program.version} has no {flag}, which the scenario asks for"
            )
        return flag


def _free_ports() -> tuple[int, int, int]:
    """Three loopback ports that are free at this moment."""
    with socket.socket() as first, socket.socket() as second, socket.socket() as third:
        for each in (first, second, third):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1], third.getsockname()[1]
