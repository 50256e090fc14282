"""``python -m syncengine.testing.sample_library DIR`` writes the sample library."""

from __future__ import annotations

import argparse
from pathlib import Path

from syncengine.testing.sample_library import make_sample_library


def main() -> None:
    """Write the sample library into the directory that the command line names, and say what it is."""
    parser = argparse.ArgumentParser(prog="python -m syncengine.testing.sample_library", description=main.__doc__)
    parser.add_argument("directory", type=Path, help="made when missing; parts of the same name are replaced")
    library = make_sample_library(parser.parse_args().directory)
    size = sum(part.stat().st_size for part in library.parts) / 1e6
    print(
        f"A sample library in {library.directory}: {len(library.parts)} archives, {library.media_files} photos and "
        f"videos ({library.contents} different ones), {len(library.albums)} albums, {size:.1f} MB."
    )


if __name__ == "__main__":
    main()
