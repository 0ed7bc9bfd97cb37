"""`python -m mailrace` is the command `mailrace`."""

from mailrace.cli import main

if __name__ == "__main__":
    main()
