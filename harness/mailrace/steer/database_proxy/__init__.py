"""The database that the servers talk to: statements of named actors, held and let go, over one store."""
