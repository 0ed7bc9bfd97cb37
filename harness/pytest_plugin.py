"""The pytest plugin: nothing heavy is imported at the top."""
