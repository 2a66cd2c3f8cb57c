"""The command line: one function per command, each ending in an exit code."""
