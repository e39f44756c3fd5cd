"""`python -m openenv.cli`: the command `openenv`, where its script is not on the PATH."""

from .main import main

if __name__ == "__main__":
    main()
