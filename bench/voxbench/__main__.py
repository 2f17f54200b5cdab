"""`python -m voxbench`: the command line."""

from voxbench.cli import main

if __name__ == "__main__":
    main()
