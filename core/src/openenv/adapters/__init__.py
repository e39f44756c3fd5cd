"""Environments of other libraries as environments of this one, each behind an extra of its own."""
