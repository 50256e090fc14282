"""The user's Drive: folders, files, their revisions, the trash and shared drives."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import threading
from dataclasses import dataclass, field
from pathlib import Path

from syncengine.testing.google.content.bytes import Content, FileContent, chunks
from syncengine.testing.google.control.clock import Clock

FOLDER = "application/vnd.google-apps.folder"
LARGEST_HASHED = 256 * 1024 * 1024
_HASHES = {"md5": lambda: hashlib.md5(usedforsecurity=False), "sha1": lambda: hashlib.sha1(usedforsecurity=False)}
_HASHES |= {"sha256": hashlib.sha256}


@dataclass
class Revision:
    """One state of a file's bytes.

    Args:
        id: ``headRevisionId`` while it is the newest.
        content: the bytes.
        modified: seconds since 1970.
    """

    id: str
    content: Content
    modified: float
    hashes: dict[str, str] = field(default_factory=dict)

    def checksum(self, kind: str) -> str | None:
        """A checksum in hexadecimal, reckoned when it is first asked for.

        Args:
            kind: ``md5``, ``sha1`` or ``sha256``.

        Returns:
            The checksum; ``None`` for made-up contents that are too large to be read through for it.
        """
        if kind not in self.hashes:
            if self.content.size > LARGEST_HASHED and not isinstance(self.content, FileContent):
                return None
            digest = _HASHES[kind]()
            for piece in chunks(self.content):
                digest.update(piece)
            self.hashes[kind] = digest.hexdigest()
        return self.hashes[kind]


@dataclass
class DriveFile:
    """A file or a folder.

    Args:
        id: Drive's id.
        name: not unique, not even in one folder.
        mime_type: ``FOLDER`` for folders.
        parent: id of the folder; empty for the roots.
        created: seconds since 1970.
        modified: seconds since 1970.
        revisions: oldest first; none for folders and for Google's own documents.
        trashed: put into the trash by itself.
        starred: marked by the user.
        abusive: flagged as malware; bytes come only with ``acknowledgeAbuse``.
        can_download: the owner allows downloads.
        app_created: made by this app, and so visible with the scope ``drive.file``.
        drive_id: the shared drive in which it is; empty for My Drive.
        version: counts every change.
    """

    id: str
    name: str
    mime_type: str
    parent: str
    created: float
    modified: float
    revisions: list[Revision] = field(default_factory=list)
    trashed: bool = False
    starred: bool = False
    abusive: bool = False
    can_download: bool = True
    app_created: bool = False
    drive_id: str = ""
    version: int = 1

    @property
    def is_folder(self) -> bool:
        """Whether it holds files."""
        return self.mime_type == FOLDER

    @property
    def head(self) -> Revision | None:
        """The newest revision."""
        return self.revisions[-1] if self.revisions else None


@dataclass(frozen=True)
class Change:
    """One entry of the list of changes.

    Args:
        file_id: of which file.
        at: seconds since 1970.
        removed: deleted for good.
    """

    file_id: str
    at: float
    removed: bool = False


class Drive:
    """The files of one user.

    ``etags`` makes downloads carry an ``ETag`` and heed ``If-Match`` and ``If-Range``; Google documents neither, so
    it is off. ``quota_bytes`` is the user's storage.

    Args:
        clock: dates what is added.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        self._made = 0
        self.etags = False
        self.quota_bytes = 2 * 1024**4
        self.files: dict[str, DriveFile] = {}
        self.shared_drives: dict[str, str] = {}
        self.changes: list[Change] = []
        self.root_id = self._add(DriveFile("0A" + self._new_id()[:17], "My Drive", FOLDER, "", 0.0, 0.0)).id
        self.changes.clear()

    def add_shared_drive(self, name: str) -> str:
        """Add a shared drive and return its id, which is its root folder's too."""
        drive_id = "0A" + self._new_id()[:15] + "PVA"
        now = self.clock.now()
        self._add(DriveFile(drive_id, name, FOLDER, "", now, now, drive_id=drive_id))
        self.shared_drives[drive_id] = name
        return drive_id

    def add_folder(self, name: str, parent: str = "") -> DriveFile:
        """Add a folder.

        Args:
            name: its name.
            parent: id of the folder around it; empty means My Drive.
        """
        return self._add(self._new(name, FOLDER, parent))

    def add_file(
        self,
        name: str,
        content: Content | None,
        parent: str = "",
        *,
        mime_type: str = "",
        file_id: str = "",
        modified: float | None = None,
    ) -> DriveFile:
        """Add a file; another one of the same name stays as it is.

        Args:
            name: its name.
            content: its bytes; ``None`` for one of Google's own documents.
            parent: id of the folder; empty means My Drive.
            mime_type: empty guesses by the name.
            file_id: empty makes one.
            modified: seconds since 1970; ``None`` means now.
        """
        guessed = mime_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = self._new(name, guessed, parent, file_id)
        file.modified = file.modified if modified is None else modified
        if content is not None:
            file.revisions.append(Revision(self._new_id(), content, file.modified))
        return self._add(file)

    def replace(self, file_id: str, content: Content) -> DriveFile:
        """Give a file other bytes: a new revision, under the same id."""
        with self._lock:
            file = self.files[file_id]
            file.revisions.append(Revision(self._new_id(), content, self.clock.now()))
            file.modified = self.clock.now()
            self._changed(file)
        return file

    def update(self, file_id: str, **fields: object) -> DriveFile:
        """Change what is known about a file.

        Args:
            file_id: which one.
            **fields: attributes of ``DriveFile``, such as ``trashed=True``.
        """
        with self._lock:
            file = self.files[file_id]
            for name, value in fields.items():
                if not hasattr(file, name):
                    raise AttributeError(name)
                setattr(file, name, value)
            self._changed(file)
        return file

    def delete(self, file_id: str) -> None:
        """Delete a file for good, and everything below it."""
        with self._lock:
            for child in self.children(file_id):
                self.delete(child.id)
            del self.files[file_id]
            self.changes.append(Change(file_id, self.clock.now(), removed=True))

    def children(self, folder_id: str) -> list[DriveFile]:
        """What lies directly in a folder, the trashed included."""
        return [file for file in list(self.files.values()) if file.parent == folder_id]

    def named(self, name: str, parent: str = "") -> list[DriveFile]:
        """Files of a name in a folder (empty: anywhere)."""
        return [file for file in list(self.files.values()) if file.name == name and parent in ("", file.parent)]

    def in_trash(self, file: DriveFile) -> bool:
        """Whether a file or a folder around it was put into the trash."""
        current: DriveFile | None = file
        while current is not None:
            if current.trashed:
                return True
            current = self.files.get(current.parent)
        return False

    def resolve(self, file_id: str) -> str:
        """An id as a client writes it: ``root`` is My Drive's."""
        return self.root_id if file_id == "root" else file_id

    def add_directory(self, directory: Path, parent: str = "") -> None:
        """Add what a directory on disk holds, or bring it up to date: ids come of the paths, so they stay.

        Args:
            directory: its contents go into the folder, not itself.
            parent: id of the folder; empty means My Drive.
        """
        inside = parent or self.root_id
        present = set()
        for path in sorted(directory.iterdir()):
            file_id = stable_id(f"{inside}/{path.name}")
            present.add(file_id)
            if path.is_dir():
                if file_id not in self.files:
                    self._add(self._new(path.name, FOLDER, inside, file_id))
                self.add_directory(path, file_id)
            else:
                self._bring_up_to_date(path, inside, file_id)
        for file in self.children(inside):
            from_disk = file.id == stable_id(f"{inside}/{file.name}")
            if from_disk and file.id not in present:
                self.delete(file.id)

    def _bring_up_to_date(self, path: Path, parent: str, file_id: str) -> None:
        """Add a file on disk, or a revision when it has changed."""
        at = path.stat().st_mtime
        known = self.files.get(file_id)
        if known is None:
            self.add_file(path.name, FileContent(path), parent, file_id=file_id, modified=at)
        elif known.head is None or known.head.modified != at or known.head.content.size != path.stat().st_size:
            self.replace(file_id, FileContent(path))
            known.modified = known.revisions[-1].modified = at

    def _new(self, name: str, mime_type: str, parent: str, file_id: str = "") -> DriveFile:
        """A file that is not in the Drive yet."""
        folder = self.files[self.resolve(parent) if parent else self.root_id]
        now = self.clock.now()
        made = DriveFile(file_id or self._new_id(), name, mime_type, folder.id, now, now)
        made.drive_id = folder.drive_id
        return made

    def _add(self, file: DriveFile) -> DriveFile:
        """Take a file in."""
        with self._lock:
            self.files[file.id] = file
            self.changes.append(Change(file.id, self.clock.now()))
        return file

    def _changed(self, file: DriveFile) -> None:
        """Note a change."""
        file.version += 1
        self.changes.append(Change(file.id, self.clock.now()))

    def _new_id(self) -> str:
        """The next id; the same in every run."""
        with self._lock:
            self._made += 1
            return stable_id(str(self._made))


def stable_id(text: str) -> str:
    """An id that looks like one of Drive's, always the same for a text."""
    digest = hashlib.sha256(text.encode()).digest()
    return "1" + base64.urlsafe_b64encode(digest).decode().rstrip("=")[:32]
