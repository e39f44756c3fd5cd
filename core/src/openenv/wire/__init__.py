"""Messages as bytes, with no I/O: what is sent and how it is read."""
