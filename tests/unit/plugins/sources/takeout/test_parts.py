from __future__ import annotations

from pathlib import Path

import pytest

from syncengine_plugins.sources.takeout.parts import find_parts, tells_takeout

_STAMP = "takeout-20250101T000000Z"


def _write(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def _names(root: Path) -> list[str]:
    return [part.name for part in find_parts(root).parts]


def test_finds_every_kind_of_part_in_order(tmp_path: Path) -> None:
    _write(tmp_path, f"{_STAMP}-010.zip", f"{_STAMP}-002.tgz", f"{_STAMP}-001.tar.gz", "old/takeout-2.ZIP", "a.txt")
    assert _names(tmp_path) == ["old/takeout-2.ZIP", f"{_STAMP}-001.tar.gz", f"{_STAMP}-002.tgz", f"{_STAMP}-010.zip"]


def test_one_archive_alone(tmp_path: Path) -> None:
    _write(tmp_path, f"{_STAMP}-001.zip", f"{_STAMP}-002.zip")
    found = find_parts(tmp_path / f"{_STAMP}-002.zip")
    assert [part.name for part in found.parts] == [f"{_STAMP}-002.zip"]
    assert found.missing == ()


def test_parts_of_one_export_go_together_whatever_their_form(tmp_path: Path) -> None:
    _write(
        tmp_path,
        f"{_STAMP}-001.zip",
        f"{_STAMP}-002.tgz",
        f"{_STAMP}-003/Takeout/Google Photos/Rome/a.jpg",
        f"{_STAMP}-004 (1).zip",
        "takeout-20240101T000000Z-001.zip",
    )
    exports = {part.name: part.export for part in find_parts(tmp_path).parts}
    assert list(exports.values()).count("20250101T000000Z") == 4
    assert exports["takeout-20240101T000000Z-001.zip"] == "20240101T000000Z"
    assert find_parts(tmp_path).missing == ()


@pytest.mark.parametrize(
    ("here", "gaps"),
    [
        ((f"{_STAMP}-001.zip", f"{_STAMP}-003.zip"), [f"{_STAMP}-002.zip: not there"]),
        ((f"{_STAMP}-002.tgz",), [f"{_STAMP}-001.tgz: not there"]),
        ((f"{_STAMP}-1-001.zip", f"{_STAMP}-1-004.zip"), [f"{_STAMP}-1-00{n}.zip: not there" for n in (2, 3)]),
        ((f"{_STAMP}-3-001.zip",), []),
        ((f"{_STAMP}-001.zip", f"{_STAMP}-001 (1).zip", f"{_STAMP}-002.zip"), []),
        (("takeout-1.zip", "takeout-9.zip"), []),
    ],
)
def test_names_gaps_in_the_numbering(tmp_path: Path, here: tuple[str, ...], gaps: list[str]) -> None:
    assert list(find_parts(_write(tmp_path, *here)).missing) == gaps


def test_does_not_name_thousands_of_gaps(tmp_path: Path) -> None:
    missing = find_parts(_write(tmp_path, f"{_STAMP}-99999999.zip")).missing
    assert len(missing) == 21
    assert missing[-1] == f"{_STAMP}-...: more parts are not there"


@pytest.mark.parametrize("ending", [".crdownload", ".part", ".partial", ".download", ".opdownload"])
def test_names_downloads_that_are_not_finished(tmp_path: Path, ending: str) -> None:
    _write(tmp_path, f"{_STAMP}-001.zip", f"{_STAMP}-002.zip{ending}", f"Unconfirmed 4711{ending}", f"novel{ending}")
    found = find_parts(tmp_path)
    assert [part.name for part in found.parts] == [f"{_STAMP}-001.zip"]
    assert found.missing == (
        f"Unconfirmed 4711{ending}: its download is not finished",
        f"{_STAMP}-002.zip{ending}: its download is not finished",
    )


def test_a_safari_download_is_a_folder(tmp_path: Path) -> None:
    _write(tmp_path, f"{_STAMP}-001.zip", f"{_STAMP}-002.zip.download/{_STAMP}-002.zip")
    found = find_parts(tmp_path)
    assert [part.name for part in found.parts] == [f"{_STAMP}-001.zip"]
    assert len(found.missing) == 1


@pytest.mark.parametrize(
    ("file", "inside"),
    [
        ("Takeout/Google Photos/Rome/a.jpg", "Takeout/Google Photos/Rome/"),
        ("Google Fotos/Rome/a.jpg", "Google Fotos/Rome/"),
        ("old/Takeout 2/Google フォト/Rome/a.jpg", "old/Takeout 2/Google フォト/Rome/"),
        ("Takeout/Google Unheard-of/Rome/a.jpg", "Takeout/Google Unheard-of/Rome/"),
    ],
)
def test_finds_unpacked_exports(tmp_path: Path, file: str, inside: str) -> None:
    (part,) = find_parts(_write(tmp_path, file)).parts
    assert (part.kind, part.inside) == ("tree", inside)


def test_the_path_may_be_the_container_itself(tmp_path: Path) -> None:
    _write(tmp_path, "Google Photos/Rome/a.jpg")
    (part,) = find_parts(tmp_path / "Google Photos").parts
    assert part.inside == "Google Photos/Rome/"


def test_a_year_folder_alone_is_one_when_sidecars_lie_in_it(tmp_path: Path) -> None:
    _write(tmp_path, "Photos from 2019/a.jpg", "Photos from 2019/a.jpg.json", "Holiday 2020/b.jpg", "Music/c.mp3")
    assert _names(tmp_path) == ["Photos from 2019"]


def test_a_folder_named_takeout_may_hold_archives(tmp_path: Path) -> None:
    _write(tmp_path, f"takeout/{_STAMP}-001.zip", "takeout/Takeout/Google Photos/Rome/holiday.zip")
    names = _names(tmp_path)
    assert f"takeout/{_STAMP}-001.zip" in names
    assert not any("holiday" in name for name in names)
    assert "takeout" not in names


def test_a_changed_file_changes_its_part_only(tmp_path: Path) -> None:
    _write(tmp_path, "Takeout/Google Photos/A/a.jpg", "Takeout/Google Photos/B/b.jpg", "z.zip")
    before = {part.name: part.fingerprint for part in find_parts(tmp_path).parts}
    (tmp_path / "Takeout/Google Photos/A/a.jpg").write_bytes(b"longer")
    after = {part.name: part.fingerprint for part in find_parts(tmp_path).parts}
    assert [name for name in before if before[name] != after[name]] == ["Takeout/Google Photos/A"]


def test_names_a_directory_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    _write(tmp_path, "locked/x.zip", f"{_STAMP}-001.zip")
    real = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("locked/"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_parts(tmp_path)
    assert [part.name for part in found.parts] == [f"{_STAMP}-001.zip"]
    assert found.missing == ("locked/: it cannot be read (Permission denied)",)


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("Takeout/Google Photos/Rome/a.jpg", True),
        ("Takeout/archive_browser.html", True),
        ("Google Fotos/Rome/a.jpg", True),
        ("Photos from 2019/a.jpg.json", True),
        ("Photos from 2019/a.jpg", False),
        ("holiday/a.jpg", False),
        ("a.jpg", False),
    ],
)
def test_tells_a_takeout_by_its_members(path: str, verdict: bool) -> None:
    assert tells_takeout(path) is verdict
