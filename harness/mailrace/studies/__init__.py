"""Questions that take many runs: gate, matrix, bisect, retries, merge; and a finished run, run again."""
