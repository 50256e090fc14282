"""The words for people."""

from __future__ import annotations

import pytest

from syncengine.api import LedgerLine, Outcome
from syncengine.cli.output import duration_text, folded, printable, size_text
from syncengine.cli.progress import PlainLines


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3_400_000, "3.4 MB"), (5e17, "500.0 PB")]
)
def test_sizes(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(4.21, "4.2 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")])
def test_durations(seconds, text):
    assert duration_text(seconds) == text


def test_what_a_terminal_is_given_cannot_move_its_cursor():
    assert printable("IMG_1 \u00e9.jpg") == "IMG_1 \u00e9.jpg"
    assert printable("a\x1b[2Jb\udc80\n") == "a\\x1b[2Jb\\udc80\\n"


def test_sentences_that_say_the_same_are_one():
    assert folded(["a: no sidecar", "x", "b: no sidecar", "x", "c: d: lost"]) == [
        "2 times: no sidecar (a, ...)",
        "2 times: x",
        "c: d: lost",
    ]


def test_plain_progress_is_a_line_now_and_then(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("syncengine.cli.live.time.monotonic", lambda: now[0])
    progress = PlainLines("nas")
    progress.note("reading part 1")
    now[0] = 11
    progress.note("reading part 2")
    progress.listed(3, 300)
    progress.finished(LedgerLine(outcome=Outcome.STORED, id="a", name="a"))
    now[0] = 22
    progress.fetched(100)
    progress.unchanged(2)
    assert capsys.readouterr().err.splitlines() == [
        "nas: 0 of 0 listed items done (reading the source); reading part 2",
        "nas: 3 of 3 listed items done (2 unchanged, 1 stored)",
    ]
