"""Running environments, with no web framework: what a request does once it has arrived."""
