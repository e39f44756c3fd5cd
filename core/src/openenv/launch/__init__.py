"""Getting a server to run somewhere."""
