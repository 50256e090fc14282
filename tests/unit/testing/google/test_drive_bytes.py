"""Downloads from Drive: ranges, revisions, flags."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.testing.google import BytesContent, Cut, Meanwhile

BYTES = b"0123456789"


@pytest.fixture
def file(emulator: Any) -> Any:
    return emulator.library.drive.add_file("x.zip", BytesContent(BYTES))


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("", 200, BYTES, None),
        ("bytes=0-", 206, BYTES, "bytes 0-9/10"),
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, BYTES, "bytes 0-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=5-4", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=0-1,3-4", 200, BYTES, None),
        ("lines=0-1", 200, BYTES, None),
    ],
)
def test_ranges(
    caller: Any, file: Any, *, asked: str, status: int, body: bytes | None, content_range: str | None
) -> None:
    reply = caller.drive(f"files/{file.id}", {"alt": "media"}, **({"range": asked} if asked else {}))
    assert (reply.status, reply.headers.get("content-range")) == (status, content_range)
    assert body is None or reply.body == body


def test_an_empty_file(caller: Any, emulator: Any) -> None:
    empty = emulator.library.drive.add_file("empty", BytesContent(b""))
    assert caller.drive(f"files/{empty.id}", {"alt": "media"}).body == b""
    ranged = caller.drive(f"files/{empty.id}", {"alt": "media"}, range="bytes=0-99")
    assert (ranged.status, ranged.headers["content-range"]) == (416, "bytes */0")


def test_conditions_count_only_when_there_are_tags(caller: Any, emulator: Any, file: Any) -> None:
    plain = caller.drive(f"files/{file.id}", {"alt": "media"}, range="bytes=1-1", if_match='"other"')
    assert (plain.status, "etag" in plain.headers) == (206, False)
    emulator.library.drive.etags = True
    tag = caller.drive(f"files/{file.id}", {"alt": "media"}).headers["etag"]
    for header, value, status in [
        ("if_match", tag, 206),
        ("if_match", '"other"', 412),
        ("if_range", tag, 206),
        ("if_range", '"other"', 200),
    ]:
        assert caller.drive(f"files/{file.id}", {"alt": "media"}, range="bytes=1-1", **{header: value}).status == status


def test_a_replaced_file_has_another_revision_and_keeps_the_old_one(caller: Any, emulator: Any, file: Any) -> None:
    before = caller.drive(f"files/{file.id}", {"fields": "headRevisionId,version,md5Checksum"}).json
    emulator.library.drive.replace(file.id, BytesContent(b"other"))
    after = caller.drive(f"files/{file.id}", {"fields": "headRevisionId,version,md5Checksum"}).json
    assert all(before[name] != after[name] for name in before)
    revisions = caller.drive(f"files/{file.id}/revisions").json["revisions"]
    assert [one["id"] for one in revisions] == [before["headRevisionId"], after["headRevisionId"]]
    old = f"files/{file.id}/revisions/{before['headRevisionId']}"
    assert caller.drive(old).json["size"] == "10"
    assert caller.drive(old, {"alt": "media"}, range="bytes=1-2").body == b"12"
    assert caller.drive(f"files/{file.id}", {"alt": "media"}).body == b"other"
    assert caller.drive(f"files/{file.id}/revisions/none").status == 404


def test_what_cannot_be_downloaded(caller: Any, emulator: Any, file: Any) -> None:
    drive = emulator.library.drive
    media = {"alt": "media"}
    drive.update(file.id, abusive=True)
    assert caller.drive(f"files/{file.id}", media).reason == "cannotDownloadAbusiveFile"
    assert caller.drive(f"files/{file.id}", {**media, "acknowledgeAbuse": "true"}).body == BYTES
    drive.update(file.id, abusive=False, can_download=False)
    assert caller.drive(f"files/{file.id}", media).reason == "cannotDownloadFile"
    assert caller.drive(f"files/{drive.add_folder('f').id}", media).reason == "fileNotDownloadable"
    letter = drive.add_file("Letter", None, mime_type="application/vnd.google-apps.document")
    assert caller.drive(f"files/{letter.id}", media).reason == "fileNotDownloadable"
    missing = caller.drive("files/nowhere", media)
    assert (missing.status, missing.reason) == (404, "notFound")


def test_a_head_request_has_the_length_and_no_body(caller: Any, emulator: Any, file: Any) -> None:
    url = emulator.root("www.googleapis.com") + f"/drive/v3/files/{file.id}"
    reply = caller.call("HEAD", url, {"alt": "media"})
    assert (reply.headers["content-length"], reply.body) == ("10", b"")


def test_a_file_that_is_replaced_while_it_is_read(caller: Any, emulator: Any, file: Any) -> None:
    replace = Meanwhile(lambda: emulator.library.drive.replace(file.id, BytesContent(b"other")), after=4)
    emulator.faults.add("drive.files.download", replace)
    assert caller.drive(f"files/{file.id}", {"alt": "media"}).body == BYTES
    assert caller.drive(f"files/{file.id}", {"alt": "media"}, range="bytes=4-").body == b"r"


def test_a_file_that_is_deleted_while_it_is_read(caller: Any, emulator: Any, file: Any) -> None:
    emulator.faults.add("drive.files.download", Meanwhile(lambda: emulator.library.drive.delete(file.id)))
    emulator.faults.add("drive.files.download", Cut(3))
    with pytest.raises(Exception, match="IncompleteRead"):
        caller.drive(f"files/{file.id}", {"alt": "media"})
    assert caller.drive(f"files/{file.id}", {"alt": "media"}, range="bytes=3-").status == 404
