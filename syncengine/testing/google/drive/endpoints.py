"""Drive API v3: files and revisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncengine.testing.google.accounts import scopes
from syncengine.testing.google.drive import fields, query
from syncengine.testing.google.drive.fields import masked_answer
from syncengine.testing.google.drive.files import FOLDER, Drive, DriveFile, Revision
from syncengine.testing.google.drive.ranges import ranged
from syncengine.testing.google.drive.resources import DEFAULT_FIELDS, file_resource, revision_resource
from syncengine.testing.google.shapes import SHAPES
from syncengine.testing.google.wire.message import Answer, Request, json_answer
from syncengine.testing.google.wire.paging import page, page_size
from syncengine.testing.google.wire.problems import because, not_found
from syncengine.testing.google.wire.routing import WWW, Route, route

READ = frozenset(
    {
        scopes.DRIVE,
        scopes.DRIVE_READONLY,
        scopes.DRIVE_FILE,
        scopes.DRIVE_METADATA,
        scopes.DRIVE_METADATA_READONLY,
    }
)
WRITE = frozenset({scopes.DRIVE, scopes.DRIVE_FILE})
_CONTENT = frozenset({scopes.DRIVE, scopes.DRIVE_READONLY, scopes.DRIVE_FILE})
_BASE = "/drive/v3"
_ORDER: dict[str, Callable[[DriveFile], Any]] = {
    "name": lambda file: file.name.casefold(),
    "name_natural": lambda file: file.name.casefold(),
    "createdTime": lambda file: file.created,
    "modifiedTime": lambda file: file.modified,
    "folder": lambda file: not file.is_folder,
    "quotaBytesUsed": lambda file: file.head.content.size if file.head else 0,
    "starred": lambda file: not file.starred,
}


class FileEndpoints:
    """What ``www.googleapis.com/drive/v3/files`` answers.

    Args:
        drive: the user's files.
    """

    def __init__(self, drive: Drive) -> None:
        self._drive = drive

    def routes(self) -> list[Route]:
        """Their addresses."""
        one = f"{_BASE}/files/{{id}}"
        return [
            route("drive.files.list", "GET", WWW, f"{_BASE}/files", self.list_files, scopes=READ),
            route("drive.files.create", "POST", WWW, f"{_BASE}/files", self.create, scopes=WRITE),
            route("drive.files.download", "GET", WWW, one, self.download, scopes=READ, media=True),
            route("drive.files.get", "GET", WWW, one, self.get, scopes=READ),
            route("drive.files.update", "PATCH", WWW, one, self.update, scopes=WRITE),
            route("drive.files.delete", "DELETE", WWW, one, self.delete, scopes=WRITE),
            route("drive.revisions.list", "GET", WWW, f"{one}/revisions", self.revisions, scopes=READ),
            route(
                "drive.revisions.download",
                "GET",
                WWW,
                f"{one}/revisions/{{revision}}",
                self.download_revision,
                scopes=READ,
                media=True,
            ),
            route("drive.revisions.get", "GET", WWW, f"{one}/revisions/{{revision}}", self.revision, scopes=READ),
        ]

    def list_files(self, request: Request) -> Answer:
        """Files that a query finds."""
        mask = fields.parse(request.one("fields") or "kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)")
        wanted = mask.get("files", {}) if "*" not in mask else {"*": {}}
        _check_names(mask, "FileList")
        _check_names(wanted, "File")
        matches = query.parse(request.one("q"), self._drive, request.account)
        everything = list(self._drive.files.values())
        found = [file for file in everything if file.parent and self._listed(file, request) and matches(file)]
        found = _sorted(found, request.one("orderBy"))
        question = [request.one("q"), request.one("orderBy"), request.one("driveId")]
        size = page_size(request, request.number("pageSize", 100), 100, 1000)
        some, token = page(request, found, size, request.one("pageToken"), question)
        names = wanted or DEFAULT_FIELDS
        resources = [file_resource(self._drive, file, request, names) for file in some]
        value = {"kind": "drive#fileList", "incompleteSearch": False, **token, "files": resources}
        return json_answer(fields.select(value, mask))

    def get(self, request: Request) -> Answer:
        """One file's metadata."""
        return self._answer(self._file(request), request)

    def create(self, request: Request) -> Answer:
        """A new folder, or one of Google's documents; bytes are not taken here."""
        body = request.json()
        parent = self._drive.resolve((body.get("parents") or ["root"])[0])
        if parent not in self._drive.files:
            raise not_found(f"File not found: {parent}.", "notFound")
        name, kind = str(body.get("name", "Untitled")), str(body.get("mimeType", "application/octet-stream"))
        if kind == FOLDER:
            made = self._drive.add_folder(name, parent)
        else:
            made = self._drive.add_file(name, None, parent, mime_type=kind)
        self._drive.update(made.id, app_created=True)
        return self._answer(made, request)

    def update(self, request: Request) -> Answer:
        """Rename a file, star it, move it, put it into the trash or take it out."""
        file, body = self._file(request), request.json()
        if not file.parent:
            raise because("insufficientFilePermissions")
        names = {"name": str, "trashed": bool, "starred": bool}
        changes: dict[str, Any] = {name: kind(body[name]) for name, kind in names.items() if name in body}
        if request.one("addParents"):
            changes["parent"] = self._drive.resolve(request.one("addParents").split(",")[-1])
        self._drive.update(file.id, **changes)
        return self._answer(file, request)

    def delete(self, request: Request) -> Answer:
        """Delete a file for good."""
        self._drive.delete(self._file(request).id)
        return Answer(204)

    def download(self, request: Request) -> Answer:
        """A file's bytes, or a range of them."""
        file = self._file(request)
        return self._bytes(file, file.head, request)

    def revisions(self, request: Request) -> Answer:
        """A file's revisions, oldest first."""
        file = self._file(request)
        size = page_size(request, request.number("pageSize", 200), 200, 1000)
        some, token = page(request, file.revisions, size, request.one("pageToken"), file.id)
        found = [revision_resource(file, revision, request) for revision in some]
        value = {"kind": "drive#revisionList", **token, "revisions": found}
        return masked_answer(value, request, "RevisionList")

    def revision(self, request: Request) -> Answer:
        """One revision's metadata."""
        file = self._file(request)
        return masked_answer(revision_resource(file, _revision(file, request), request), request, "Revision")

    def download_revision(self, request: Request) -> Answer:
        """One revision's bytes: they stay what they are when the file is replaced."""
        file = self._file(request)
        return self._bytes(file, _revision(file, request), request)

    def _file(self, request: Request) -> DriveFile:
        """The file of a request.

        Raises:
            ApiError: 404, there is none that these scopes and flags see.
        """
        file_id = self._drive.resolve(request.parts["id"])
        file = self._drive.files.get(file_id)
        hidden = file is not None and bool(file.drive_id) and not _flag(request, "supportsAllDrives")
        if file is None or hidden or not _visible(file, request):
            raise not_found(f"File not found: {request.parts['id']}.", "notFound")
        return file

    def _listed(self, file: DriveFile, request: Request) -> bool:
        """Whether a listing reaches a file at all."""
        if not _visible(file, request):
            return False
        drive_id = request.one("driveId") or request.one("teamDriveId")
        if drive_id:
            return file.drive_id == drive_id
        return not file.drive_id or _flag(request, "includeItemsFromAllDrives")

    def _answer(self, file: DriveFile, request: Request) -> Answer:
        """A file's JSON, as far as it is wanted."""
        mask = fields.parse(request.one("fields") or ",".join(DEFAULT_FIELDS), SHAPES["File"])
        return json_answer(fields.select(file_resource(self._drive, file, request, mask), mask))

    def _bytes(self, file: DriveFile, revision: Revision | None, request: Request) -> Answer:
        """Bytes of a revision.

        Raises:
            ApiError: 403, they are not to be had.
        """
        if not request.scopes & _CONTENT:
            raise because("insufficientPermissions")
        if revision is None:
            raise because("fileNotDownloadable")
        if not file.can_download:
            raise because("cannotDownloadFile")
        if file.abusive and request.one("acknowledgeAbuse") != "true":
            raise because("cannotDownloadAbusiveFile")
        headers = {"Content-Type": file.mime_type, "Content-Disposition": "attachment", "Cache-Control": "private"}
        return ranged(request, revision.content, headers, f'"{revision.id}"' if self._drive.etags else "")


def _visible(file: DriveFile, request: Request) -> bool:
    """``drive.file`` sees what the app made, the other scopes see everything."""
    return file.app_created or not file.parent or bool(request.scopes & (READ - {scopes.DRIVE_FILE}))


def _flag(request: Request, name: str) -> bool:
    """A flag, by its name of today or the one that "team drives" had."""
    older = name.replace("AllDrives", "TeamDrives").replace("ItemsFromTeamDrives", "TeamDriveItems")
    return "true" in (request.one(name), request.one(older))


def _revision(file: DriveFile, request: Request) -> Revision:
    """The revision of a request.

    Raises:
        ApiError: 404, the file has no such one.
    """
    wanted = request.parts["revision"]
    found = next((one for one in file.revisions if one.id == wanted or (wanted == "head" and one is file.head)), None)
    if found is None:
        raise not_found(f"Revision not found: {wanted}.", "notFound")
    return found


def _sorted(files: list[DriveFile], order: str) -> list[DriveFile]:
    """Files in the order of ``orderBy``; without it the newest come first."""
    for key in reversed((order or "modifiedTime desc").split(",")):
        name, _, direction = key.strip().partition(" ")
        if name in _ORDER:
            files = sorted(files, key=_ORDER[name], reverse=direction == "desc")
    return files


def _check_names(mask: fields.Mask, shape: str) -> None:
    """Refuse names that the answer has not."""
    fields.parse(",".join(mask) or "*", SHAPES[shape])
