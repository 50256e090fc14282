"""``trash_finished`` end to end: archives leave Drive after a complete run and a clean verification, not before."""

from __future__ import annotations

import json

import pytest

from syncengine.testing.google import GoogleEmulator
from tests.e2e.test_google_drive import PROFILE, export, log_in, run, upload

FIRST, SECOND, NEWER = (
    "takeout-20260101T000000Z-1-001.zip",
    "takeout-20260101T000000Z-1-002.zip",
    "takeout-20260301T000000Z-1-001.zip",
)

pytestmark = pytest.mark.slow


def test_what_was_read_stored_and_verified_goes_to_the_trash(desk):
    with GoogleEmulator() as google:
        wider = PROFILE.replace('endpoint: "{endpoint}"', 'endpoint: "{endpoint}", trash_finished: true')
        desk.write("profile.yaml", wider.format(endpoint=google.url))
        desk.write("credentials.json", json.dumps(google.client_config()))
        log_in(desk)
        upload(google, desk, FIRST, export("a.jpg"))
        upload(google, desk, SECOND, export("b.jpg"))
        run(desk)
        upload(google, desk, NEWER, export("a.jpg", "c.jpg"))

        photo = next((desk.directory / "backup/photos").rglob("a.jpg"))
        content = photo.read_bytes()
        photo.write_bytes(content[:-1])
        assert desk.run("verify", "profile.yaml").code == 1
        assert trashed(google) == []

        photo.write_bytes(content)
        done = desk.run("verify", "profile.yaml", "--json")
        assert (done.code, done.err) == (0, "")
        assert done.json["notes"] == [f"{name} was moved to the trash of Google Drive" for name in (FIRST, SECOND)]
        assert trashed(google) == [FIRST, SECOND]

        assert run(desk)["outcomes"]["stored"] == 1
        assert desk.run("verify", "profile.yaml").code == 0
        assert trashed(google) == [FIRST, SECOND, NEWER]
        report = run(desk)
        assert (report["complete"], report["listed"]) == (True, 0)
        assert sorted(path.name for path in (desk.directory / "backup/photos").rglob("*.jpg")) == [
            "a.jpg",
            "b.jpg",
            "c.jpg",
        ]


def trashed(google):
    return sorted(file.name for file in google.library.drive.files.values() if file.trashed)
