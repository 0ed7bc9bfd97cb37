"""What was explored and realised in, what a report shows out."""
