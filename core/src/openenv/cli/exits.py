"""The exit codes of every command."""

OK = 0
FAILED = 1
"""What was asked for was tried and did not hold or did not work."""
USAGE = 2
"""What was asked for cannot be done as it was written."""
