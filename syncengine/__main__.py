"""``python -m syncengine``."""

from syncengine.cli.entry import main

if __name__ == "__main__":
    main()
