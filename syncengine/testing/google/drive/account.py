"""Drive API v3: the account, shared drives and the list of changes."""

from __future__ import annotations

from typing import Any

from syncengine.testing.google.accounts import scopes
from syncengine.testing.google.drive.endpoints import READ
from syncengine.testing.google.drive.fields import masked_answer
from syncengine.testing.google.drive.files import Drive, DriveFile
from syncengine.testing.google.drive.resources import file_resource, user_resource
from syncengine.testing.google.wire.message import Answer, Request
from syncengine.testing.google.wire.paging import page, page_size
from syncengine.testing.google.wire.problems import because, not_found
from syncengine.testing.google.wire.routing import WWW, Route, route

_SHARED = frozenset({scopes.DRIVE, scopes.DRIVE_READONLY})


class DriveAccountEndpoints:
    """What Drive says about the account, shared drives and changes.

    Args:
        drive: the user's files.
    """

    def __init__(self, drive: Drive) -> None:
        self._drive = drive

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            route("drive.about.get", "GET", WWW, "/drive/v3/about", self.about, scopes=READ),
            route("drive.drives.list", "GET", WWW, "/drive/v3/drives", self.drives, scopes=_SHARED),
            route("drive.drives.get", "GET", WWW, "/drive/v3/drives/{id}", self.drive, scopes=_SHARED),
            route(
                "drive.changes.getStartPageToken",
                "GET",
                WWW,
                "/drive/v3/changes/startPageToken",
                self.start,
                scopes=READ,
            ),
            route("drive.changes.list", "GET", WWW, "/drive/v3/changes", self.changes, scopes=READ),
        ]

    def about(self, request: Request) -> Answer:
        """User and storage; ``fields`` must say what is wanted, as the reference says."""
        if not request.one("fields"):
            raise because("forbidden", "The 'fields' parameter is required for this method.")
        files = [file for file in list(self._drive.files.values()) if not file.drive_id]
        trash = sum(_stored(file) for file in files if self._drive.in_trash(file))
        used = sum(_stored(file) for file in files)
        storage = {"limit": self._drive.quota_bytes, "usage": used, "usageInDrive": used, "usageInDriveTrash": trash}
        value = {
            "kind": "drive#about",
            "user": user_resource(request.account),
            "storageQuota": {name: str(number) for name, number in storage.items()},
            "maxUploadSize": str(5 * 1024**4),
            "appInstalled": False,
            "canCreateDrives": False,
        }
        return masked_answer(value, request, "About")

    def drives(self, request: Request) -> Answer:
        """The shared drives."""
        size = page_size(request, request.number("pageSize", 10), 10, 100)
        known = sorted(self._drive.shared_drives.items())
        some, token = page(request, known, size, request.one("pageToken"))
        found = [_drive_resource(drive_id, name) for drive_id, name in some]
        return masked_answer({"kind": "drive#driveList", **token, "drives": found}, request, "DriveList")

    def drive(self, request: Request) -> Answer:
        """One shared drive."""
        drive_id = request.parts["id"]
        if drive_id not in self._drive.shared_drives:
            raise not_found(f"Shared drive not found: {drive_id}", "notFound")
        return masked_answer(_drive_resource(drive_id, self._drive.shared_drives[drive_id]), request, "Drive")

    def start(self, request: Request) -> Answer:
        """Where the list of changes stands now."""
        value = {"kind": "drive#startPageToken", "startPageToken": str(len(self._drive.changes) + 1)}
        return masked_answer(value, request, "StartPageToken")

    def changes(self, request: Request) -> Answer:
        """What has changed since a token."""
        first = request.number("pageToken", 1) - 1
        size = page_size(request, request.number("pageSize", 100), 100, 1000)
        log = list(self._drive.changes)
        some, after = log[first : first + size], first + size
        more = {"nextPageToken": str(after + 1)} if after < len(log) else {"newStartPageToken": str(len(log) + 1)}
        found = []
        for change in some:
            file = self._drive.files.get(change.file_id)
            entry: dict[str, Any] = {"kind": "drive#change", "changeType": "file", "type": "file"}
            entry |= {"time": self._drive.clock.rfc3339(change.at), "fileId": change.file_id, "removed": file is None}
            if file is not None:
                entry["file"] = file_resource(self._drive, file, request, {"*"})
            found.append(entry)
        return masked_answer({"kind": "drive#changeList", **more, "changes": found}, request, "ChangeList")


def _stored(file: DriveFile) -> int:
    """How much storage a file takes."""
    return file.head.content.size if file.head else 0


def _drive_resource(drive_id: str, name: str) -> dict[str, Any]:
    return {"kind": "drive#drive", "id": drive_id, "name": name, "hidden": False}
