"""A program that owns a started target: prints its pids and folder, then waits to be ended from outside."""

import signal
import sys

from mailrace.model.operation import ServerOptions
from mailrace.model.target import VersionSource
from mailrace.targets import belongings
from mailrace.targets.managed import ManagedTarget, Program


def main() -> None:
    program = Program(command=(sys.executable, sys.argv[1]), version="0.0.0", source=VersionSource.UNKNOWN)
    target = ManagedTarget("fake", program, ServerOptions())
    target.start()
    assert belongings._watcher is not None
    print(target.pid(), belongings._watcher.pid, target._folder, flush=True)
    how = sys.argv[2]
    if how == "fails":
        raise RuntimeError("a bug of ours")
    if how == "waits":
        signal.pause()


if __name__ == "__main__":
    main()
