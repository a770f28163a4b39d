"""`python -m uniasr` is the command `uniasr`."""

from uniasr.cli import main

if __name__ == "__main__":
    main()
