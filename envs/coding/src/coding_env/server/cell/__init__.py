"""What runs agents' code, in processes of its own: the standard library only, so that nothing else comes along."""
