"""``python -m syncengine.testing.google --port 8443 --tls CERT KEY --library DIR`` serves until it is interrupted."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from syncengine.testing.google.accounts.authority import DESKTOP_CLIENT
from syncengine.testing.google.accounts.grants import Client
from syncengine.testing.google.accounts.scopes import USEFUL
from syncengine.testing.google.emulator import GoogleEmulator
from syncengine.testing.google.library import Library

REFRESH_TOKEN = "emulator-refresh-token"  # nosec B105: opens nothing but the emulator


def main(arguments: list[str] | None = None) -> None:
    """Emulate Google's OAuth, Drive, Photos Library and Photos Picker for clients on this machine."""
    options = _parser().parse_args(arguments)
    library = Library.of_directory(options.library) if options.library else Library()
    tls = (options.tls[0], options.tls[1]) if options.tls else None
    emulator = GoogleEmulator(library, tls, port=options.port, address=options.address, real_names=options.real_names)
    client = emulator.authority.register(Client(options.client[0], options.client[1], "desktop", options.testing))
    emulator.authority.grant(client, USEFUL, refresh_token=options.refresh_token)
    emulator.picker.pick_at_poll = options.pick_at_poll
    print(_welcome(emulator, client, options.refresh_token), flush=True)
    try:
        emulator.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        emulator.stop()


def _parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m syncengine.testing.google", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8443, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--address", default="127.0.0.1", help="where to listen (default: %(default)s)")
    parser.add_argument("--tls", nargs=2, type=Path, metavar=("CERT", "KEY"), help="PEM files; without them plain HTTP")
    parser.add_argument(
        "--library", type=Path, metavar="DIR", help="DIR/drive is My Drive and DIR/photos the photos, or DIR is both"
    )
    parser.add_argument(
        "--client", nargs=2, metavar=("ID", "SECRET"), default=[DESKTOP_CLIENT.id, DESKTOP_CLIENT.secret]
    )
    parser.add_argument("--real-names", action="store_true", help="hand out URLs with Google's own host names")
    parser.add_argument("--testing", action="store_true", help="the client is in testing mode: 7 days for its tokens")
    parser.add_argument("--refresh-token", default=REFRESH_TOKEN, help="one that works (default: %(default)s)")
    parser.add_argument("--pick-at-poll", type=int, metavar="N", help="the Picker's user is done at the N-th poll")
    return parser


def _welcome(emulator: GoogleEmulator, client: Client, refresh_token: str) -> str:
    """What is printed when the emulator listens, as one JSON object."""
    return json.dumps(
        {
            "url": emulator.url,
            "client_id": client.id,
            "client_secret": client.secret,
            "refresh_token": refresh_token,
            "drive_files": len(emulator.library.drive.files) - 1,
            "photos": len(emulator.library.photos.items),
            "switches": emulator.url + "/_emulator/",
        },
        indent=1,
    )


if __name__ == "__main__":
    main()
