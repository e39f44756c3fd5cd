"""The command line: one command a file, each of which parses and prints."""
