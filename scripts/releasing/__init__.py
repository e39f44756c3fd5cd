"""What the scripts of releases do: packages found by folder, built, released by tag.

Each program runs in the checkout's root.
"""
