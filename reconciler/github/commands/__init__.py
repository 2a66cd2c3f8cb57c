"""One module for each command of the action; `run` returns the exit code."""
