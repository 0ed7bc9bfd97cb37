"""`python faulty_main.py FAULT VERSION MEETING FLAG…`: the embedded reference with that fault."""

import sys

from mailrace.embedded.__main__ import main
from planting import MEETINGS, load_all, make_room_for_notes

if __name__ == "__main__":
    fault, version, meeting, *flags = sys.argv[1:]
    if meeting == "store":
        make_room_for_notes()
    load_all()[fault](MEETINGS[meeting])
    sys.argv[1:] = ["--version-of", version, *flags]
    sys.exit(main())
