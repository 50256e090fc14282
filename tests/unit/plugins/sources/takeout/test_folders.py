"""Where the Google Photos folders are, and what each is, in every language known."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine_plugins.sources.takeout.folders import FolderRole, classify, logical_path

CONTAINERS = [
    "Google Photos", "Google Fotos", "Google Foto", "Fotky Google", "Google Фото", "Google Снимки", "Google Kuvat",
    "Google フォト", "Google Fotoğraflar", "Google 相册", "Google 相簿", "Google 포토",
]  # fmt: skip


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    "before", ["Takeout/", "", "takeout-20240101T000000Z-001/Takeout/", "./Takeout/", "Takeout 2/"]
)
def test_every_container_gives_the_same_path(container: str, before: str) -> None:
    assert logical_path(f"{before}{container}/Rome 2019/a.jpg") == ("Rome 2019", "a.jpg")
    decomposed = unicodedata.normalize("NFD", container)
    assert logical_path(f"{before}{decomposed}/Rome 2019/a.jpg") == ("Rome 2019", "a.jpg")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Takeout/Google Photos/print-subscriptions.json", ("", "print-subscriptions.json")),
        ("Takeout/Google Bilder/Photos from 2019/a.jpg", ("Photos from 2019", "a.jpg")),
        ("Takeout/Photos from 2019/a.jpg", ("Photos from 2019", "a.jpg")),
        ("Photos from 2019/a.jpg", ("Photos from 2019", "a.jpg")),
        ("/Takeout/../Google Photos/x/a.jpg", ("x", "a.jpg")),
        ("a.jpg", ("", "a.jpg")),
        ("Takeout/a.jpg", ("", "a.jpg")),
        ("Takeout/Google Photos/Takeout/a.jpg", ("Takeout", "a.jpg")),
        ("Takeout/Google Photos/Google Photos/a.jpg", ("Google Photos", "a.jpg")),
        ("Takeout/Google Photos/Drive/a.jpg", ("Drive", "a.jpg")),
        ("Takeout/Google Photos/Rome /a.jpg", ("Rome ", "a.jpg")),
        ("Drive/a.jpg", ("Drive", "a.jpg")),
        ("backup/Google Photos/Rome/a.jpg", ("Rome", "a.jpg")),
        ("Takeout/takeout-001/Google Photos/Rome/a.jpg", ("Rome", "a.jpg")),
    ],
)
def test_paths_inside(path: str, expected: tuple[str, str]) -> None:
    assert logical_path(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "Takeout/archive_browser.html",
        "Takeout/Google Photos/archive_browser.html",
        "archive_browser.html",
        "Takeout/Drive/holiday.jpg",
        "Takeout/Drive/Google Photos/holiday.jpg",
        "Takeout/Mail/All mail.mbox",
        "Takeout/YouTube and YouTube Music/videos/a.mp4",
        "Takeout/readme.txt",
        "",
        "/",
    ],
)
def test_other_members_are_none(path: str) -> None:
    assert logical_path(path) is None


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="Tako utGgle Phs/.\\(1)é\x00", max_size=60))
def test_any_path_is_survived(path: str) -> None:
    found = logical_path(path)
    assert found is None or (found[1] and "/" not in found[1])


@pytest.mark.parametrize(
    "folder",
    [
        "Photos from 2022", "Fotos von 2024", "Photos de 2024", "Fotos de 2024", "Fotos del 2024", "2024 年的相片",
        "Zdjęcia z roku 2022", "Foto del 2019", "Foto's uit 2019", "Фото за 2019", "2019年の写真", "2019년 사진",
        "Photos from 1900", "Photos from 2100", "nested/Photos from 2019",
    ],
)  # fmt: skip
def test_year_folders(folder: str) -> None:
    assert classify(folder) is FolderRole.YEAR
    assert classify(folder, has_album_json=True) is FolderRole.ALBUM


@pytest.mark.parametrize("folder", ["Rome", "Rome 1899", "2019 and 2020", "12019", "20190703", "Archive of Rome"])
def test_albums(folder: str) -> None:
    assert classify(folder) is FolderRole.ALBUM


SPECIAL = {
    FolderRole.ARCHIVE: [
        "Archive", "Archiv", "Archivo", "Arquivo", "Archivio", "Archief", "Архив", "Archiwum", "アーカイブ", "Arxiu",
    ],
    FolderRole.TRASH: [
        "Trash", "Bin", "Papierkorb", "Corbeille", "Papelera", "Lixeira", "Cestino", "Prullenbak", "Корзина", "Kosz",
        "ゴミ箱", "Paperera",
    ],
    FolderRole.LOCKED: ["Locked Folder", "locked folder"],
    FolderRole.FAILED_VIDEOS: ["Failed Videos"],
    FolderRole.ROOT: [""],
}  # fmt: skip


@pytest.mark.parametrize(("role", "folder"), [(role, name) for role, names in SPECIAL.items() for name in names])
def test_special_folders(role: FolderRole, folder: str) -> None:
    assert classify(folder) is role


def test_an_album_may_have_a_special_folders_name() -> None:
    assert classify("Archive", has_album_json=True) is FolderRole.ALBUM


@pytest.mark.parametrize(
    "name",
    [
        "Untitled", "Unbenannt", "Ohne Titel", "Sin título", "Sem título", "Senza titolo", "Sans titre", "Zonder titel",
        "Без названия", "Bez tytułu", "未命名", "无标题", "無題", "Sense títol", "Nimetön", "Adsız",
    ],
)  # fmt: skip
def test_untitled_albums(name: str) -> None:
    for folder in (name, f"{name}(3)", f"{name} (12)", unicodedata.normalize("NFD", name)):
        assert classify(folder, has_album_json=True) is FolderRole.UNTITLED
