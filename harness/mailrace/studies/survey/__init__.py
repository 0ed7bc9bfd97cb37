"""Takes a version; decides every pair of its operations: what breaks, why, and what would mend it."""
