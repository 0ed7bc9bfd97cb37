"""Takes the traffic between a suite and its Mailpit; gives the suite's races and hazards."""
