"""A Drive file as JSON, field by field: only what was asked for is reckoned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from syncengine.testing.google.control.clock import rfc3339
from syncengine.testing.google.drive.files import Drive, DriveFile, Revision
from syncengine.testing.google.wire.message import Request

DEFAULT_FIELDS = ("kind", "id", "name", "mimeType")
PAGE = "https://drive.google.com"


def file_resource(drive: Drive, file: DriveFile, request: Request, names: Iterable[str]) -> dict[str, Any]:
    """A file's JSON.

    Args:
        drive: where it is.
        file: which one.
        request: whose user and scopes count.
        names: the fields that are wanted; ``*`` means all.
    """
    wanted = _MAKERS if "*" in names else names
    found = ((name, _MAKERS[name](drive, file, request)) for name in wanted if name in _MAKERS)
    return {name: value for name, value in found if value is not None}


def revision_resource(file: DriveFile, revision: Revision, request: Request) -> dict[str, Any]:
    """A revision's JSON."""
    value: dict[str, Any] = {
        "kind": "drive#revision",
        "id": revision.id,
        "mimeType": file.mime_type,
        "modifiedTime": rfc3339(revision.modified),
        "keepForever": False,
        "published": False,
        "originalFilename": file.name,
        "size": str(revision.content.size),
        "lastModifyingUser": user_resource(request.account),
    }
    digest = revision.checksum("md5")
    return value | ({"md5Checksum": digest} if digest else {})


def user_resource(account: str) -> dict[str, Any]:
    """The signed-in user's JSON."""
    return {
        "kind": "drive#user",
        "displayName": account.partition("@")[0],
        "me": True,
        "permissionId": str(sum(account.encode()) * 7919),
        "emailAddress": account,
    }


def _size(_drive: Drive, file: DriveFile, _request: Request) -> str | None:
    return str(file.head.content.size) if file.head else None


def _checksum(kind: str) -> Callable[[Drive, DriveFile, Request], str | None]:
    return lambda _drive, file, _request: file.head.checksum(kind) if file.head else None


def _extension(_drive: Drive, file: DriveFile, _request: Request) -> str | None:
    return file.name.rpartition(".")[2] if file.head and "." in file.name else ""


def _capabilities(_drive: Drive, file: DriveFile, request: Request) -> dict[str, bool]:
    writable = any(scope.endswith("/auth/drive") for scope in request.scopes)
    return {
        "canDownload": file.can_download and not file.is_folder,
        "canEdit": writable,
        "canRename": writable,
        "canTrash": writable and bool(file.parent),
        "canDelete": writable and bool(file.parent),
        "canListChildren": file.is_folder,
        "canReadRevisions": not file.is_folder,
    }


def _links(_drive: Drive, file: DriveFile, _request: Request) -> str:
    return f"{PAGE}/drive/folders/{file.id}" if file.is_folder else f"{PAGE}/file/d/{file.id}/view?usp=drivesdk"


_MAKERS: dict[str, Callable[[Drive, DriveFile, Request], Any]] = {
    "kind": lambda drive, file, request: "drive#file",
    "id": lambda drive, file, request: file.id,
    "name": lambda drive, file, request: file.name,
    "mimeType": lambda drive, file, request: file.mime_type,
    "starred": lambda drive, file, request: file.starred,
    "trashed": lambda drive, file, request: drive.in_trash(file),
    "explicitlyTrashed": lambda drive, file, request: file.trashed,
    "parents": lambda drive, file, request: [file.parent] if file.parent else None,
    "spaces": lambda drive, file, request: ["drive"],
    "version": lambda drive, file, request: str(file.version),
    "webViewLink": _links,
    "webContentLink": lambda drive, file, request: f"{PAGE}/uc?id={file.id}&export=download" if file.head else None,
    "createdTime": lambda drive, file, request: rfc3339(file.created),
    "modifiedTime": lambda drive, file, request: rfc3339(file.modified),
    "shared": lambda drive, file, request: bool(file.drive_id),
    "ownedByMe": lambda drive, file, request: not file.drive_id,
    "owners": lambda drive, file, request: None if file.drive_id else [user_resource(request.account)],
    "lastModifyingUser": lambda drive, file, request: user_resource(request.account),
    "capabilities": _capabilities,
    "originalFilename": lambda drive, file, request: file.name if file.head else None,
    "fileExtension": lambda drive, file, request: _extension(drive, file, request) if file.head else None,
    "fullFileExtension": lambda drive, file, request: _extension(drive, file, request) if file.head else None,
    "md5Checksum": _checksum("md5"),
    "sha1Checksum": _checksum("sha1"),
    "sha256Checksum": _checksum("sha256"),
    "size": _size,
    "quotaBytesUsed": lambda drive, file, request: _size(drive, file, request) or "0",
    "headRevisionId": lambda drive, file, request: file.head.id if file.head else None,
    "driveId": lambda drive, file, request: file.drive_id or None,
    "teamDriveId": lambda drive, file, request: file.drive_id or None,
    "writersCanShare": lambda drive, file, request: True,
    "viewersCanCopyContent": lambda drive, file, request: file.can_download,
    "copyRequiresWriterPermission": lambda drive, file, request: not file.can_download,
}
