"""Traffic between a suite and its Mailpit in, the suite's races and hazards out."""
