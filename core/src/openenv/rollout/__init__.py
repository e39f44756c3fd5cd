"""Episodes played for trainers."""
