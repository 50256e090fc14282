"""What must not be missed is shown whatever the output is, and never on stdout."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from syncengine.cli.progress import LiveLine, PlainLines, Tally

LINK = "https://photos.google.com/picker/" + "a" * 120


@pytest.mark.parametrize("progress", [Tally(), PlainLines("mine")])
def test_it_is_a_plain_text_on_stderr(progress, capsys):
    progress.say(f"Open this:\n\n  {LINK}")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"Open this:\n\n  {LINK}\n")


def test_above_a_live_line_it_is_shown_as_it_is():
    screen = io.StringIO()
    with Progress(console=Console(file=screen, force_terminal=True, width=60)) as shown:
        LiveLine(shown, shown.add_task("mine", total=None)).say(f"[bold]{LINK}")
    assert f"[bold]{LINK}" in screen.getvalue()
