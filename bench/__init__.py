"""`make bench`: every figure as a ratio to a peer of the same run; nothing here is asserted in a test."""
