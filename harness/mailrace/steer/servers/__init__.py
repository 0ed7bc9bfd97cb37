"""Servers on one database proxy with the round's store: started, prepared, read, and called dead or not."""
