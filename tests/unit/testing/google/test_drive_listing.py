"""``files.list`` and the other JSON of Drive."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from syncengine.testing.google import BytesContent, EmptyPage, PaddedContent
from syncengine.testing.google.accounts import scopes
from syncengine.testing.google.drive.files import FOLDER, LARGEST_HASHED


@pytest.fixture
def takeout(emulator: Any) -> Any:
    drive = emulator.library.drive
    folder = drive.add_folder("Takeout")
    drive.add_file("takeout-001.zip", BytesContent(b"one"), folder.id)
    emulator.clock.advance(60)
    drive.add_file("takeout-002.zip", BytesContent(b"two"), folder.id)
    drive.add_file("notes it's.txt", BytesContent(b"notes"))
    drive.add_file("Letter", None, mime_type="application/vnd.google-apps.document")
    return folder


def names(caller: Any, q: str = "", **query: str) -> list[str]:
    reply = caller.drive("files", {"q": q, "orderBy": "name", **query})
    assert reply.status == 200, reply.body
    return [file["name"] for file in reply.json["files"]]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("", ["Letter", "notes it's.txt", "Takeout", "takeout-001.zip", "takeout-002.zip"]),
        (f"name = 'Takeout' and mimeType = '{FOLDER}' and 'root' in parents and trashed = false", ["Takeout"]),
        ("name='TAKEOUT'", ["Takeout"]),
        ("name contains 'take' and not mimeType contains 'folder'", ["takeout-001.zip", "takeout-002.zip"]),
        ("name contains '002'", ["takeout-002.zip"]),
        ("name contains 'akeout'", []),
        (r"name = 'notes it\'s.txt'", ["notes it's.txt"]),
        ("mimeType != 'application/zip' and 'root' in parents", ["Letter", "notes it's.txt", "Takeout"]),
        ("(name = 'Letter' or name = 'Takeout') and trashed=false", ["Letter", "Takeout"]),
        ("name = 'Letter' or name = 'Takeout' and mimeType = 'nothing'", []),
        ("modifiedTime > '2026-05-28T20:27:00Z' and mimeType = 'application/zip'", ["takeout-002.zip"]),
        ("modifiedTime <= '2026-05-28T20:26:40' and mimeType = 'application/zip'", ["takeout-001.zip"]),
        ("'me' in owners and starred = true", []),
        ("sharedWithMe", None),
        ("name ~ 'x'", None),
        ("(name = 'x'", None),
        ("name = 'x' and", None),
        ("colour = 'red'", None),
    ],
)
def test_queries(caller: Any, takeout: Any, q: str, found: list[str] | None) -> None:
    if found is None:
        reply = caller.drive("files", {"q": q})
        assert (reply.status, reply.reason) == (400, "invalid")
    else:
        assert names(caller, q) == found


def test_only_what_is_asked_for_comes_back(caller: Any, takeout: Any) -> None:
    plain = caller.drive("files", {"q": "name = 'takeout-001.zip'"}).json
    assert plain["files"][0].keys() == {"kind", "id", "name", "mimeType"}
    wanted = "nextPageToken,incompleteSearch,files(id,size,md5Checksum,sha256Checksum,capabilities/canDownload)"
    (file,) = caller.drive("files", {"q": "name = 'takeout-001.zip'", "fields": wanted}).json["files"]
    assert file == {
        "id": file["id"],
        "size": "3",
        "md5Checksum": hashlib.md5(b"one", usedforsecurity=False).hexdigest(),
        "sha256Checksum": hashlib.sha256(b"one").hexdigest(),
        "capabilities": {"canDownload": True},
    }
    assert caller.drive("files", {"fields": "*"}).json["files"][0]["version"]
    for nonsense in ("files(id,colour)", "files(id", "colour", "files()"):
        assert caller.drive("files", {"fields": nonsense}).reason == "invalidParameter"
    assert caller.drive(f"files/{file['id']}", {"fields": "parents,headRevisionId"}).json["parents"] == [takeout.id]


def test_pages(caller: Any, emulator: Any) -> None:
    for number in range(5):
        emulator.library.drive.add_file(f"f{number}", BytesContent(b""))
    emulator.faults.add("drive.files.list", EmptyPage(), at=2)
    found, pages, token = [], 0, ""
    while True:
        page = caller.drive("files", {"pageSize": 2, "orderBy": "name", "pageToken": token}).json
        found += [file["name"] for file in page["files"]]
        pages += 1
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert (found, pages) == (["f0", "f1", "f2", "f3", "f4"], 4)
    first = caller.drive("files", {"pageSize": 2}).json["nextPageToken"]
    assert caller.drive("files", {"pageToken": first, "q": "trashed = true"}).status == 400
    assert caller.drive("files", {"pageToken": "nonsense"}).status == 400
    assert caller.drive("files", {"pageSize": -1}).status == 400
    assert len(caller.drive("files", {"pageSize": 5000}).json["files"]) == 5


def test_names_are_not_unique_and_the_trash_reaches_down(caller: Any, emulator: Any) -> None:
    drive = emulator.library.drive
    first, second = drive.add_folder("Takeout"), drive.add_folder("Takeout")
    inside = drive.add_file("a.zip", BytesContent(b"a"), first.id)
    assert names(caller, "name = 'Takeout'") == ["Takeout", "Takeout"]
    trashed = caller.call(
        "PATCH", emulator.root("www.googleapis.com") + f"/drive/v3/files/{first.id}", body={"trashed": True}
    )
    assert trashed.status == 200
    assert names(caller, "trashed = false") == ["Takeout"]
    state = caller.drive(f"files/{inside.id}", {"fields": "trashed,explicitlyTrashed"}).json
    assert state == {"trashed": True, "explicitlyTrashed": False}
    assert caller.drive(f"files/{second.id}", {"fields": "trashed"}).json == {"trashed": False}


def test_what_scopes_allow(caller: Any, emulator: Any, takeout: Any) -> None:
    url = emulator.root("www.googleapis.com") + f"/drive/v3/files/{takeout.id}"
    archive = emulator.library.drive.named("takeout-001.zip")[0]
    caller.token = emulator.authority.mint(frozenset({scopes.DRIVE_READONLY}))["access_token"]
    assert caller.call("PATCH", url, body={"trashed": True}).reason == "insufficientPermissions"
    assert caller.drive(f"files/{archive.id}", {"alt": "media"}).body == b"one"
    caller.token = emulator.authority.mint(frozenset({scopes.DRIVE_METADATA_READONLY}))["access_token"]
    assert caller.drive(f"files/{archive.id}").status == 200
    assert caller.drive(f"files/{archive.id}", {"alt": "media"}).reason == "insufficientPermissions"
    caller.token = emulator.authority.mint(frozenset({scopes.DRIVE_FILE}))["access_token"]
    assert names(caller) == []
    assert caller.drive(f"files/{archive.id}").status == 404
    caller.token = emulator.authority.mint(frozenset({scopes.PICKER}))["access_token"]
    assert caller.drive("files").status == 403
    caller.token = ""
    missing = caller.drive("files")
    assert (missing.status, missing.reason, missing.json["error"]["status"]) == (401, "authError", "UNAUTHENTICATED")


def test_writing(caller: Any, emulator: Any, takeout: Any) -> None:
    base = emulator.root("www.googleapis.com") + "/drive/v3/files"
    made = caller.call("POST", base, body={"name": "Done", "mimeType": FOLDER, "parents": [takeout.id]}).json
    archive = emulator.library.drive.named("takeout-001.zip")[0]
    moved = caller.call("PATCH", f"{base}/{archive.id}", {"addParents": made["id"]}, body={"name": "old.zip"})
    assert moved.json["name"] == "old.zip"
    assert names(caller, f"'{made['id']}' in parents") == ["old.zip"]
    assert caller.call("DELETE", f"{base}/{made['id']}").status == 204
    assert caller.drive(f"files/{archive.id}").status == 404
    assert caller.call("PATCH", f"{base}/root", body={"trashed": True}).status == 403
    assert caller.call("POST", base, body={"parents": ["nowhere"]}).status == 404


def test_shared_drives_need_their_flags(caller: Any, emulator: Any) -> None:
    drive = emulator.library.drive
    shared = drive.add_shared_drive("Family")
    file = drive.add_file("x.zip", BytesContent(b"x"), shared)
    assert names(caller) == []
    assert names(caller, includeItemsFromAllDrives="true", supportsAllDrives="true") == ["x.zip"]
    assert names(caller, includeTeamDriveItems="true", supportsTeamDrives="true") == ["x.zip"]
    assert names(caller, driveId=shared, corpora="drive", includeItemsFromAllDrives="true") == ["x.zip"]
    assert caller.drive(f"files/{file.id}").status == 404
    assert (
        caller.drive(f"files/{file.id}", {"supportsAllDrives": "true", "fields": "driveId"}).json["driveId"] == shared
    )
    assert caller.drive("drives").json["drives"][0]["name"] == "Family"
    assert caller.drive(f"drives/{shared}").json["id"] == shared
    assert caller.drive("drives/none").status == 404


def test_account_and_changes(caller: Any, emulator: Any, takeout: Any) -> None:
    assert caller.drive("about").status == 403
    about = caller.drive("about", {"fields": "user,storageQuota"}).json
    assert about["storageQuota"]["usage"] == str(len(b"onetwonotes"))
    token = caller.drive("changes/startPageToken").json["startPageToken"]
    archive = emulator.library.drive.named("takeout-002.zip")[0]
    emulator.library.drive.replace(archive.id, BytesContent(b"longer"))
    emulator.library.drive.delete(takeout.id)
    page = caller.drive("changes", {"pageToken": token, "pageSize": 2}).json
    assert [change["removed"] for change in page["changes"]] == [True, True]
    rest = caller.drive("changes", {"pageToken": page["nextPageToken"]}).json
    assert rest["newStartPageToken"]
    assert takeout.id in [change["fileId"] for change in rest["changes"]]


def test_a_directory_on_disk(caller: Any, emulator: Any, tmp_path: Path) -> None:
    (tmp_path / "Takeout").mkdir()
    part = tmp_path / "Takeout" / "part.zip"
    part.write_bytes(b"first")
    drive = emulator.library.drive
    drive.add_directory(tmp_path)
    (file,) = drive.named("part.zip")
    assert caller.drive(f"files/{file.id}", {"alt": "media"}).body == b"first"
    before = file.head.id
    part.write_bytes(b"second one")
    (tmp_path / "new.zip").write_bytes(b"")
    drive.add_directory(tmp_path)
    assert drive.named("part.zip") == [file]
    assert file.head.id != before
    part.unlink()
    drive.add_directory(tmp_path)
    assert [one.name for one in drive.files.values() if one.parent] == ["Takeout", "new.zip"]


def test_checksums_of_what_is_too_large_to_read_through(caller: Any, emulator: Any) -> None:
    emulator.library.drive.add_file("huge.zip", PaddedContent(b"head", LARGEST_HASHED + 1))
    (file,) = caller.drive("files", {"fields": "files(size,md5Checksum)"}).json["files"]
    assert file == {"size": str(LARGEST_HASHED + 1)}
