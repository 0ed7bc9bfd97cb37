"""How long the native engine waits and how often it tries: one frozen value, so a test can pass its own."""

from dataclasses import dataclass

from mailrace.targets.ready import WAITS, Waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one race; the defaults are what every command uses.

    connect_s          for a connection and the opening of its session
    reply_s            for the answer to one command that is sent alone
    look_s             when replies are missing for this long, the server itself is looked at
    pause_s            how long a stopped process, or one that waits for its disk, is waited for
    return_s           how long a server that is not ours may refuse connections before it counts as gone
    skew_us            a round whose releases were further apart did not race as planned
    unreleased_rounds  after this many rounds in a row in which nobody was released, the race is given up
    restarts           how often a server of ours that hung or ended is started again
    serial_rounds      after an anomaly, the same operations run one after the other in this many rounds, to
                       see whether it needs a race at all: `serial_rounds_least` of them in any case, the
                       others while `serial_s` lasts
    serial_quiet_s     the pause between two such operations, because a server may go on working after its
                       reply
    decided_rounds     the most rounds of `until: decided`, where no number of rounds was asked for
    block_rounds_first, block_rounds_last   rounds between two looks at the store, at first and at last
    memory_s           seconds between two looks, where a server keeps its messages in memory for a while
    target             how long a target is waited for when it starts or is asked
    """

    connect_s: float = 5.0
    reply_s: float = 10.0
    look_s: float = 1.0
    pause_s: float = 60.0
    return_s: float = 5.0
    skew_us: float = 1_000.0
    unreleased_rounds: int = 5
    restarts: int = 50
    serial_rounds: int = 20
    serial_rounds_least: int = 4
    serial_quiet_s: float = 0.02
    serial_s: float = 5.0
    decided_rounds: int = 1_000
    block_rounds_first: int = 10
    block_rounds_last: int = 250
    memory_s: float = 2.0
    target: Waits = WAITS


LIMITS = Limits()
