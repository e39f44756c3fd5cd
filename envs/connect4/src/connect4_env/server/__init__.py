"""The Connect Four environment's server."""
