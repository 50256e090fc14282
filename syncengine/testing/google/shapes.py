"""What Google's answers look like: field names and JSON types, and a check of values against them.

Facts of the discovery documents of Drive v3 (2026-11) and Photos Library v1, and of the Picker API's reference pages.
Mind that 64-bit integers are JSON strings, that sizes of photos are strings in the Library API and numbers in the
Picker API, and that every field may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_DURATION = re.compile(r"\d+(\.\d{1,9})?s")


def _fields(**names: str) -> dict[str, str]:
    """Turn ``kind="field field"`` around; a trailing ``_`` of a kind stands for a list of it."""
    return {name: kind for kind, group in names.items() for name in group.split()}


SHAPES: dict[str, dict[str, str]] = {
    "FileList": _fields(File_="files", boolean="incompleteSearch", string="kind nextPageToken"),
    "File": _fields(
        string="description driveId fileExtension folderColorRgb fullFileExtension headRevisionId iconLink id kind "
        "md5Checksum mimeType name originalFilename resourceKey sha1Checksum sha256Checksum teamDriveId thumbnailLink "
        "webContentLink webViewLink",
        boolean="copyRequiresWriterPermission explicitlyTrashed hasAugmentedPermissions hasThumbnail "
        "inheritedPermissionsDisabled isAppAuthorized modifiedByMe ownedByMe shared starred trashed viewedByMe "
        "viewersCanCopyContent writersCanShare",
        time="createdTime modifiedByMeTime modifiedTime sharedWithMeTime trashedTime viewedByMeTime",
        int64="quotaBytesUsed size thumbnailVersion version",
        string_="parents permissionIds spaces",
        object="appProperties clientEncryptionDetails contentHints downloadRestrictions exportLinks "
        "imageMediaMetadata labelInfo linkShareMetadata properties shortcutDetails videoMediaMetadata",
        object_="contentRestrictions permissions",
        Capabilities="capabilities",
        User="lastModifyingUser sharingUser trashingUser",
        User_="owners",
    ),
    "Capabilities": _fields(
        boolean="canDownload canEdit canRename canTrash canDelete canListChildren canReadRevisions"
    ),
    "Revision": _fields(
        string="id kind md5Checksum mimeType originalFilename publishedLink",
        boolean="keepForever publishAuto published publishedOutsideDomain",
        time="modifiedTime",
        int64="size",
        User="lastModifyingUser",
        object="exportLinks",
    ),
    "RevisionList": _fields(string="kind nextPageToken", Revision_="revisions"),
    "About": _fields(
        string="kind",
        User="user",
        StorageQuota="storageQuota",
        int64="maxUploadSize",
        boolean="appInstalled canCreateDrives canCreateTeamDrives",
        object="exportFormats importFormats maxImportSizes",
        string_="folderColorPalette",
        object_="driveThemes teamDriveThemes",
    ),
    "StorageQuota": _fields(int64="limit usage usageInDrive usageInDriveTrash"),
    "User": _fields(string="displayName emailAddress kind permissionId photoLink", boolean="me"),
    "Drive": _fields(
        string="backgroundImageLink colorRgb id kind name orgUnitId themeId",
        time="createdTime",
        boolean="hidden",
        object="backgroundImageFile capabilities restrictions",
    ),
    "DriveList": _fields(string="kind nextPageToken", Drive_="drives"),
    "Change": _fields(
        string="changeType driveId fileId kind teamDriveId type",
        boolean="removed",
        time="time",
        File="file",
        Drive="drive",
        object="teamDrive",
    ),
    "ChangeList": _fields(string="kind newStartPageToken nextPageToken", Change_="changes"),
    "StartPageToken": _fields(string="kind startPageToken"),
    "MediaItemList": _fields(MediaItem_="mediaItems", string="nextPageToken"),
    "MediaItem": _fields(
        string="id description productUrl baseUrl mimeType filename",
        MediaMetadata="mediaMetadata",
        object="contributorInfo",
    ),
    "MediaMetadata": _fields(int64="width height", time="creationTime", Photo="photo", Video="video"),
    "Photo": _fields(
        string="cameraMake cameraModel",
        number="focalLength apertureFNumber",
        integer="isoEquivalent",
        duration="exposureTime",
    ),
    "Video": _fields(string="cameraMake cameraModel status", number="fps"),
    "BatchGet": _fields(MediaItemResult_="mediaItemResults"),
    "MediaItemResult": _fields(MediaItem="mediaItem", Status="status"),
    "Status": _fields(integer="code", string="message", object_="details"),
    "BatchCreate": _fields(NewMediaItemResult_="newMediaItemResults"),
    "NewMediaItemResult": _fields(string="uploadToken", Status="status", MediaItem="mediaItem"),
    "AlbumList": _fields(Album_="albums", string="nextPageToken"),
    "Album": _fields(
        string="id title productUrl coverPhotoBaseUrl coverPhotoMediaItemId",
        boolean="isWriteable",
        int64="mediaItemsCount",
        object="shareInfo",
    ),
    "PickingSession": _fields(
        string="id pickerUri",
        PollingConfig="pollingConfig",
        time="expireTime",
        PickingConfig="pickingConfig",
        boolean="mediaItemsSet",
    ),
    "PollingConfig": _fields(duration="pollInterval timeoutIn"),
    "PickingConfig": _fields(int64="maxItemCount"),
    "PickedMediaItemList": _fields(PickedMediaItem_="mediaItems", string="nextPageToken"),
    "PickedMediaItem": _fields(string="id type", time="createTime", MediaFile="mediaFile"),
    "MediaFile": _fields(string="baseUrl mimeType filename", MediaFileMetadata="mediaFileMetadata"),
    "MediaFileMetadata": _fields(
        integer="width height", string="cameraMake cameraModel", Photo="photoMetadata", PickedVideo="videoMetadata"
    ),
    "PickedVideo": _fields(number="fps", string="processingStatus"),
    "Token": _fields(
        string="access_token refresh_token scope token_type id_token", integer="expires_in refresh_token_expires_in"
    ),
    "DeviceCode": _fields(string="device_code user_code verification_url", integer="expires_in interval"),
    "Empty": {},
}

ANSWERS = {
    "drive.files.list": "FileList",
    "drive.files.get": "File",
    "drive.files.create": "File",
    "drive.files.update": "File",
    "drive.revisions.list": "RevisionList",
    "drive.revisions.get": "Revision",
    "drive.about.get": "About",
    "drive.drives.list": "DriveList",
    "drive.drives.get": "Drive",
    "drive.changes.list": "ChangeList",
    "drive.changes.getStartPageToken": "StartPageToken",
    "library.mediaItems.list": "MediaItemList",
    "library.mediaItems.search": "MediaItemList",
    "library.mediaItems.get": "MediaItem",
    "library.mediaItems.patch": "MediaItem",
    "library.mediaItems.batchGet": "BatchGet",
    "library.mediaItems.batchCreate": "BatchCreate",
    "library.albums.list": "AlbumList",
    "library.albums.get": "Album",
    "library.albums.create": "Album",
    "library.albums.patch": "Album",
    "library.albums.batchAddMediaItems": "Empty",
    "library.albums.batchRemoveMediaItems": "Empty",
    "picker.sessions.create": "PickingSession",
    "picker.sessions.get": "PickingSession",
    "picker.sessions.delete": "Empty",
    "picker.mediaItems.list": "PickedMediaItemList",
    "oauth.token": "Token",
    "oauth.device": "DeviceCode",
    "oauth.revoke": "Empty",
}

_KINDS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "int64": lambda value: isinstance(value, str) and re.fullmatch(r"-?\d+", value) is not None,
    "time": lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None,
    "duration": lambda value: isinstance(value, str) and _DURATION.fullmatch(value) is not None,
}


def violations(kind: str, value: Any, where: str = "") -> list[str]:
    """What is wrong with a value.

    Args:
        kind: a name of ``SHAPES`` or of a JSON kind; with ``_`` behind it, a list of those.
        value: the JSON value.
        where: its place, for the sentences.

    Returns:
        One sentence for each violation; none when the value has the shape.
    """
    if kind.endswith("_"):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [line for index, one in enumerate(value) for line in violations(kind[:-1], one, f"{where}[{index}]")]
    if kind in _KINDS:
        return [] if _KINDS[kind](value) else [f"{where} is no {kind}: {value!r}"]
    if not isinstance(value, dict):
        return [f"{where} is no {kind}: {value!r}"]
    shape = SHAPES[kind]
    found = [f"{where}.{name} does not belong to {kind}" for name in value if name not in shape]
    for name in value.keys() & shape.keys():
        found += violations(shape[name], value[name], f"{where}.{name}")
    return found
