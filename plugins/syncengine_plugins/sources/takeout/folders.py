"""Where in a Takeout the Google Photos folders are, and what each of them is, in whichever language it was exported."""

from __future__ import annotations

import re
from enum import StrEnum

from syncengine.api import Kind
from syncengine_plugins.sources.takeout.names import kind_of, nfc, split_end_counter


class FolderRole(StrEnum):
    """What a folder of the export stands for."""

    YEAR = "year"
    ALBUM = "album"
    ARCHIVE = "archive"
    TRASH = "trash"
    LOCKED = "locked"
    FAILED_VIDEOS = "failed-videos"
    UNTITLED = "untitled"
    ROOT = "root"


def _names(*names: str) -> frozenset[str]:
    return frozenset(nfc(name).casefold() for name in names)


_CONTAINERS = _names(
    "Google Photos", "Google Fotos", "Google Foto", "Fotky Google", "Google Фото", "Google Снимки", "Google Kuvat",
    "Google フォト", "Google Fotoğraflar", "Google 相册", "Google 相簿", "Google 포토",
)  # fmt: skip

# Other products' folders as Takeout names them in English, and in other languages where known.
_OTHER_PRODUCTS = _names(
    "Access Log Activity", "Alerts", "Android Device Configuration Service", "Arts & Culture", "Blogger", "Bookmarks",
    "Brand Accounts", "Calendar", "Chat", "Chrome", "Classroom", "Contacts", "Crisis User Reports",
    "Data Shared For Research", "Discover", "Drive", "Fit", "Fitbit", "Gemini", "Google Account",
    "Google Business Profile", "Google Chat", "Google Earth", "Google Feedback", "Google Fi", "Google Finance",
    "Google Fit", "Google Help Communities", "Google Meet", "Google Pay", "Google Play Books",
    "Google Play Games Services", "Google Play Movies _ TV", "Google Play Store", "Google Podcasts", "Google Shopping",
    "Google Store", "Google Voice", "Google Wallet", "Google Workspace Marketplace", "Groups", "Hangouts", "Home App",
    "Keep", "Location History", "Location History (Timeline)", "Mail", "Manage my account", "Maps",
    "Maps (your places)", "Messages", "My Activity", "My Maps", "Nest", "News", "NotebookLM", "Package Tracking",
    "Pinpoint", "Profile", "Purchases & Reservations", "Purchases _ Reservations", "Recorder", "Reminders", "Saved",
    "Search Contributions", "Search Notifications", "Shopping Lists", "Stadia", "Street View", "Tasks", "Timeline",
    "Voice", "Workspace Studio", "YouTube", "YouTube and YouTube Music", "YouTube Music",
    "Kalender", "Kontakte", "Meine Aktivitäten", "Standortverlauf", "YouTube und YouTube Music", "Profil",
    "Agenda", "Mon activité", "Historique des positions", "YouTube et YouTube Music",
    "Mi actividad", "Calendario", "Contactos", "Historial de ubicaciones", "YouTube y YouTube Music",
    "Le mie attività", "Contatti", "Cronologia delle posizioni", "YouTube e YouTube Music",
    "Minha atividade", "Agenda", "Contatos", "Histórico de localização", "YouTube e YouTube Music",
    "Mijn activiteit", "Contacten", "Locatiegeschiedenis", "YouTube en YouTube Music",
    "Диск", "Почта", "Календарь", "Контакты", "マイ アクティビティ", "カレンダー", "連絡先", "ドライブ", "メール",
)  # fmt: skip

# By the pattern lists of other tools, partly unverified; the flags in the sidecars are surer.
_SPECIAL = (
    (
        FolderRole.ARCHIVE,
        _names(
            "Archive", "Archiv", "Archivo", "Arquivo", "Archivio", "Archief", "Архив", "Archiwum", "アーカイブ",
            "Arxiu",
        ),
    ),
    (
        FolderRole.TRASH,
        _names(
            "Trash", "Bin", "Papierkorb", "Corbeille", "Papelera", "Lixeira", "Cestino", "Prullenbak", "Корзина",
            "Kosz", "ゴミ箱", "Paperera",
        ),
    ),
    (FolderRole.LOCKED, _names("Locked Folder")),
    (FolderRole.FAILED_VIDEOS, _names("Failed Videos")),
)  # fmt: skip

_UNTITLED = _names(
    "Untitled", "Unbenannt", "Ohne Titel", "Sin título", "Sem título", "Senza titolo", "Sans titre", "Zonder titel",
    "Без названия", "Bez tytułu", "未命名", "无标题", "無題", "Sense títol", "Nimetön", "Adsız",
)  # fmt: skip

_TAKEOUT = re.compile(r"takeout(?:[ ._-]?\(?[0-9]{1,3}\)?)?", re.IGNORECASE)
_FOUR_DIGITS = re.compile(r"(?<!\d)\d{4}(?!\d)")
_MANIFEST = "archive_browser.html"


def logical_path(member_path: str) -> tuple[str, str] | None:
    """Return where a member is inside the Google Photos container, the same for every part and every way to unpack it.

    Args:
        member_path: as the archive or directory lists it, with ``/``.

    Returns:
        Folder (empty at the container's root; ``/`` inside it only where folders nest) and file name, both as
        written; None for what is not of Google Photos. An unknown folder below ``Takeout/`` counts as a container, for
        its name may be in a language not known here.
    """
    *folders, name = [part for part in member_path.split("/") if part not in {"", ".", ".."}] or [""]
    if not name or name.casefold() == _MANIFEST:
        return None
    inside = _inside_container(folders, name)
    return None if inside is None else ("/".join(inside), name)


def _inside_container(folders: list[str], name: str) -> list[str] | None:
    plain = [nfc(folder).casefold() for folder in folders]
    start = next((i for i, folder in enumerate(plain) if folder in _CONTAINERS or _TAKEOUT.fullmatch(folder)), None)
    if start is None:
        return folders
    while start < len(plain) and _TAKEOUT.fullmatch(plain[start]):
        start += 1
    if start == len(plain):
        return [] if kind_of(name) is not Kind.OTHER or name.lower().endswith(".json") else None
    if plain[start] in _OTHER_PRODUCTS:
        return None
    known = next((i for i in range(start, len(plain)) if plain[i] in _CONTAINERS), None)
    if known is not None:
        return folders[known + 1 :]
    # Google puts no media right into the container, so a lone unknown folder is an album or year that was moved up.
    return folders[start + 1 :] or folders[start:]


def classify(folder: str, *, has_album_json: bool = False) -> FolderRole:
    """Return what a folder of the export is.

    Args:
        folder: as ``logical_path`` gives it; the last of nested ones counts.
        has_album_json: an album JSON is in it, which decides against year, archive, trash and the like: users may give
            an album any of those names.
    """
    if not folder:
        return FolderRole.ROOT
    name = nfc(folder.rpartition("/")[2]).strip().casefold()
    if split_end_counter(name).name.rstrip() in _UNTITLED:
        return FolderRole.UNTITLED
    if has_album_json:
        return FolderRole.ALBUM
    for role, known in _SPECIAL:
        if name in known:
            return role
    years = _FOUR_DIGITS.findall(name)
    return FolderRole.YEAR if len(years) == 1 and 1900 <= int(years[0]) <= 2100 else FolderRole.ALBUM
