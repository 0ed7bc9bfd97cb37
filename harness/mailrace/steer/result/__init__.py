"""Takes what was explored and realised; gives what a report shows."""
