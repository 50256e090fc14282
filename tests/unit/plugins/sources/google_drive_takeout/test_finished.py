"""``trash_finished``: what a verified run has read goes to Drive's trash, and nothing else ever does."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from syncengine.api import FatalError, Selection
from syncengine.testing.google import BytesContent
from syncengine_plugins.google import scopes
from syncengine_plugins.sources.google_drive_takeout.finished_archives import FinishedArchives
from syncengine_plugins.sources.google_drive_takeout.source import (
    GoogleDriveTakeoutOptions,
    GoogleDriveTakeoutSource,
)
from tests.unit.plugins.sources.google_drive_takeout.drives import FIRST, NEWER, SECOND, photos, zip_of


@contextmanager
def opened(user, *, trash_finished=True):
    """Open the user's source with the option."""
    options = GoogleDriveTakeoutOptions(endpoint=user.emulator.url, trash_finished=trash_finished)
    with GoogleDriveTakeoutSource(options) as source:
        source.clock = user.clock
        source.open(user.context())
        yield source


def listed(user):
    """List everything, as a run does; return the names of what was listed."""
    with opened(user) as source:
        names = {item.name for item in source.scan(Selection())}
        assert source.inventory().complete
    return names


def run(user):
    """List everything, as a run does; return when that run began."""
    started = datetime.now(UTC)
    assert listed(user)
    return started


def release(user, started, **options):
    with opened(user, **options) as source:
        return source.release_verified(started)


def trashed(user):
    return sorted(file.name for file in user.drive.files.values() if file.trashed)


def test_what_the_run_has_read_goes_to_the_trash_and_what_came_later_stays(user):
    user.add(FIRST, photos("a.jpg"))
    user.add(SECOND, photos("b.jpg"))
    started = run(user)
    user.add(NEWER, photos("c.jpg"))
    said = release(user, started)
    assert trashed(user) == sorted([FIRST, SECOND])
    assert said == [f"{name} was moved to the trash of Google Drive" for name in (FIRST, SECOND)]
    assert release(user, started) == []
    assert listed(user) == {"c.jpg"}


def test_when_all_are_in_the_trash_there_is_nothing_to_list_and_that_is_well(user):
    user.add(FIRST, photos("a.jpg"))
    release(user, run(user))
    assert listed(user) == set()
    with pytest.raises(FatalError, match="no archives"):
        user.listed()


def test_what_was_changed_since_stays(user):
    user.add(FIRST, photos("a.jpg"))
    started = run(user)
    (file,) = [file for file in user.drive.files.values() if file.name == FIRST]
    user.drive.replace(file.id, BytesContent(zip_of(photos("other.jpg"))))
    assert release(user, started) == [f"{FIRST} stays in Google Drive: it was changed since it was read"]
    assert trashed(user) == []


def test_a_later_scan_is_not_taken_for_the_run(user):
    user.add(FIRST, photos("a.jpg"))
    started = run(user)
    user.add(NEWER, photos("c.jpg"))
    run(user)  # a dry run, say
    release(user, started)
    assert trashed(user) == [FIRST]


def test_a_run_that_nobody_remembers_lets_go_of_nothing(user):
    user.add(FIRST, photos("a.jpg"))
    started = run(user)
    assert release(user, started + timedelta(minutes=1)) == []
    for _ in range(21):
        run(user)
    assert release(user, started) == []
    assert trashed(user) == []


def test_an_incomplete_library_is_not_written_down(user):
    user.add(SECOND, photos("b.jpg"))  # the first part is missing
    started = datetime.now(UTC)
    with opened(user) as source:
        list(source.scan(Selection()))
        assert not source.inventory().complete
    assert release(user, started) == []
    assert trashed(user) == []


def test_without_the_option_nothing_is_asked_for_nor_done(user):
    user.add(FIRST, photos("a.jpg"))
    started = run(user)
    assert release(user, started, trash_finished=False) == []
    assert trashed(user) == []
    assert GoogleDriveTakeoutSource(GoogleDriveTakeoutOptions()).wanted_scopes() == (scopes.DRIVE_READ,)
    wider = GoogleDriveTakeoutOptions(trash_finished=True)
    assert GoogleDriveTakeoutSource(wider).wanted_scopes() == (scopes.DRIVE_FULL,)


@pytest.mark.parametrize("content", [b"", b"{", b'{"scans": 1}'])
def test_a_file_that_makes_no_sense_lets_go_of_nothing(tmp_path, content):
    file = tmp_path / "read-archives.json"
    file.write_bytes(content)
    assert not FinishedArchives(file).were_released


def test_a_cache_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(FatalError, match="cannot be written"):
        FinishedArchives(tmp_path / "nowhere" / "x.json").remember(datetime.now(UTC), [])
