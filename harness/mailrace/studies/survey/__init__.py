"""A version in, every pair of its operations decided out: what breaks, why, and what would mend it."""
