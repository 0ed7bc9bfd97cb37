"""The command line's thin edge."""


def main() -> None:
    """Run the command `mailrace`."""
