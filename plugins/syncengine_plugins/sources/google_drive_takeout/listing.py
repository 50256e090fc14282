"""Finds Takeout archives in Google Drive.

Search language: https://developers.google.com/workspace/drive/api/guides/search-files (a quote in a value is escaped by
a backslash; ``name contains`` finds the beginnings of names).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from syncengine.api import FatalError, RetryableError
from syncengine_plugins.google.answers import GoogleAnswerError
from syncengine_plugins.google.call import Call
from syncengine_plugins.google.limits import DRIVE, DRIVE_GET, DRIVE_LIST
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.sources.google_drive_takeout.drive_files import FIELDS, FOLDER, DriveFile, DriveFileList

_PAGE = 1000
_MOST_PAGES = 10_000
_MOST_REPEATS = 20  # an empty page may go on where it began
_DEEPEST = 5
# What others share is theirs, and no part of this library.
_BY_NAME = "name contains 'takeout-' and trashed = false and 'me' in owners"


class DriveListing:
    """Asks Drive what is there.

    Args:
        session: signed in.
    """

    def __init__(self, session: GoogleSession) -> None:
        self._session = session
        #: Drive said that it did not search everything.
        self.incomplete = False

    def archives(self, folder: str) -> list[DriveFile]:
        """Return every file that may be an archive of Takeout, and shortcuts to such.

        Args:
            folder: name of a folder, or ``id:`` and its id, whose archives are wanted (in folders below it as well);
                empty means everything in the Drive that is named as Takeout names it.

        Raises:
            FatalError: there is no such folder.
            ItemError: Google refuses; ``RetryableError`` when it does not answer.
        """
        if not folder:
            return [file for file in self._search(_BY_NAME) if file.name.lower().startswith("takeout-")]
        found: dict[str, DriveFile] = {}
        for top in self._folders(folder):
            for file in self._below(top):
                found[file.id] = file
        return list(found.values())

    def file(self, file_id: str, what: str) -> DriveFile:
        """Return a file as it is now.

        Raises:
            GoogleAnswerError: it is gone (404), or may not be read.
        """
        call = Call(
            what=what, url=self._url(file_id), api=DRIVE, units=DRIVE_GET,
            params=(("fields", FIELDS), ("supportsAllDrives", "true")),
        )  # fmt: skip
        return self._session.json(call, DriveFile)

    def _folders(self, folder: str) -> list[str]:
        """Return the ids of the folders that are meant; names are not unique in Drive."""
        if folder.startswith("id:"):
            wanted = DriveFile(id=folder[3:].strip())
            if not wanted.is_safe:
                raise FatalError(f"{folder!r} is no id of a Drive folder", advice="copy it from the folder's address")
            try:
                self.file(wanted.id, f"the Drive folder {folder}")
            except GoogleAnswerError as error:
                if error.status != 404:
                    raise
                raise _no_folder(folder) from None
            return [wanted.id]
        query = f"name = {quoted(folder)} and mimeType = '{FOLDER}' and trashed = false"
        found = [file.id for file in self._search(query) if file.is_safe]
        if not found:
            raise _no_folder(folder)
        return found

    def _below(self, top: str) -> Iterator[DriveFile]:
        """Yield what is in a folder and in those below it; each folder once, whatever leads to it."""
        level, seen = [top], {top}
        for _ in range(_DEEPEST):
            deeper = []
            for folder in level:
                for file in self._search(f"'{folder}' in parents and trashed = false"):
                    if file.mime_type != FOLDER:
                        yield file
                    elif file.is_safe and file.id not in seen:
                        seen.add(file.id)
                        deeper.append(file.id)
            level = deeper

    def _search(self, query: str) -> list[DriveFile]:
        try:
            return list(self._pages(query))
        except GoogleAnswerError as error:
            if error.status != 400:
                raise
            # A page token that Drive does not know any more; from the beginning it works, or the query is at fault.
            return list(self._pages(query))

    def _pages(self, query: str) -> Iterator[DriveFile]:
        token, seen = "", Counter[str]()
        for _ in range(_MOST_PAGES):
            page = self._session.json(self._page(query, token), DriveFileList)
            self.incomplete |= page.incomplete_search
            yield from page.files
            token = page.next_page_token
            if not token:
                return
            seen[token] += 1
            if seen[token] > _MOST_REPEATS:
                break
        raise RetryableError("Google Drive lists the same page again and again")

    def _page(self, query: str, token: str) -> Call:
        params = (
            ("q", query),
            ("fields", f"nextPageToken,incompleteSearch,files({FIELDS})"),
            ("pageSize", str(_PAGE)),
            ("spaces", "drive"),
            ("supportsAllDrives", "true"),
            ("includeItemsFromAllDrives", "true"),
        )
        return Call(
            what="the list of archives in Google Drive", url=f"{self._session.endpoints.drive}/files", api=DRIVE,
            units=DRIVE_LIST, params=(*params, ("pageToken", token)) if token else params,
        )  # fmt: skip

    def _url(self, file_id: str) -> str:
        return f"{self._session.endpoints.drive}/files/{file_id}"


def quoted(text: str) -> str:
    """Return a text as a value of Drive's search language."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _no_folder(folder: str) -> FatalError:
    return FatalError(
        f"there is no folder {folder!r} in this Google Drive",
        advice="set `folder` to the name of the folder with the archives, or leave it out to find them by their names",
    )
