"""Finding environments."""
