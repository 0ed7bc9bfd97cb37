"""mailrace: finds, proves, gates and reports concurrency races in Mailpit, on the unmodified server."""

__version__ = "0.1.0"
