"""What is listed while the archives are still being read is exactly what the whole library says in the end."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.api import FatalError, RunContext
from syncengine_plugins.sources.takeout.ingest import small_zip_member, zip_members
from syncengine_plugins.sources.takeout.library import Library
from syncengine_plugins.sources.takeout.local_shelf import LocalShelf
from tests.unit.plugins.sources.takeout.libraries import FIRST, MILLISECONDS, NEWER, SECOND, write_zip

CONTAINER = "Takeout/Google Photos"
YEAR, OTHER_YEAR, ALBUM = "Photos from 2019", "Photos from 2020", "Rome"
PARTS = (FIRST, SECOND, NEWER)
ALBUM_FILE = b'{"title": "Roman holiday", "access": "protected"}'


class EagerShelf(LocalShelf):
    """A folder of archives that are treated as if reading them were dear."""

    def directory(self, part):
        return self._listed(part) if part.kind == "zip" else None

    def _listed(self, part):
        with open(part.path, "rb") as stream:
            yield from zip_members(stream, Path(part.path).stat().st_size)

    def read(self, part, intake, checksums):
        with open(part.path, "rb") as content:
            intake.read = lambda member: small_zip_member(partial(os.pread, content.fileno()), member)
            for listed in self._listed(part):
                intake.take(listed)
                yield


@contextmanager
def library(root, *, eager=True, cache="cache"):
    context = RunContext(cache=root.parent / cache, scratch=root.parent)
    shelf = EagerShelf(root) if eager else LocalShelf(root)
    made = Library(shelf, shelf.find(), context)
    try:
        yield made
    finally:
        made.close()


def said(title, **more):
    facts = {"title": title, "photoTakenTime": {"timestamp": str(MILLISECONDS // 1000)}, **more}
    return json.dumps(facts).encode()


def pair(name, folder=YEAR, content=None, title=None, **more):
    return [
        (f"{CONTAINER}/{folder}/{name}", content or name.encode()),
        (f"{CONTAINER}/{folder}/{name}.supplemental-metadata.json", said(title or name, **more)),
    ]


def early_of(made):
    """Return the items that are listed before the index is up to date, and the others."""
    early, late = [], []
    for item in made.scan():
        (early if made._missing is None else late).append(item)
    return early, late


def by_id(items):
    listed = {item.id: item for item in items}
    assert len(listed) == len(items)
    return listed


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "archives"
    made.mkdir()
    return made


def test_a_photo_alone_with_its_sidecar_is_listed_at_once(root):
    write_zip(root / FIRST, [*pair("PXL_1.jpg"), *pair("PXL_2.jpg")])
    write_zip(root / SECOND, pair("PXL_3.jpg"))
    with library(root) as made:
        early, late = early_of(made)
        assert [item.name for item in early] == ["PXL_1.jpg", "PXL_2.jpg", "PXL_3.jpg"]
        assert not late
        assert early[0].taken.instant == MILLISECONDS
        assert made.inventory().complete


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param(pair("PXL_1.jpg", ALBUM), id="a copy in an album"),
        pytest.param(pair("PXL_1(1).jpg"), id="one with a counter"),
        pytest.param([(f"{CONTAINER}/{YEAR}/PXL_1.MP", b"moves")], id="its moving half"),
        pytest.param([(f"{CONTAINER}/{YEAR}/pxl_1-edited.jpg", b"edited")], id="an edited copy"),
        pytest.param(pair("PXL_1.jpg", ALBUM)[1:], id="a sidecar in an album"),
        pytest.param(pair("PXL_1.jpg", OTHER_YEAR, b"another"), id="another photo of its name"),
        pytest.param([(f"{CONTAINER}/{YEAR}/metadata.json", ALBUM_FILE)], id="an album's file"),
        pytest.param([(f"{CONTAINER}/{YEAR}/info.json", b"{}")], id="what is no sidecar by its name"),
    ],
)
def test_whatever_may_concern_it_holds_it_back(root, elsewhere):
    write_zip(root / FIRST, pair("PXL_1.jpg"))
    write_zip(root / SECOND, elsewhere)
    with library(root) as made:
        early, late = early_of(made)
    assert "PXL_1.jpg" not in [item.name for item in early]
    assert "PXL_1.jpg" in [item.name for item in late]


def test_a_sidecar_of_nothing_holds_nothing_back(root):
    write_zip(root / FIRST, pair("PXL_1.jpg"))
    write_zip(root / SECOND, pair("PXL_9.jpg")[1:])
    with library(root) as made:
        early, _ = early_of(made)
        assert [item.name for item in early] == ["PXL_1.jpg"]
        assert not any("contradicts" in one for one in made.inventory().warnings)


def test_an_album_file_of_an_earlier_export_holds_back(root):
    write_zip(root / FIRST, [*pair("PXL_1.jpg"), (f"{CONTAINER}/{YEAR}/metadata.json", ALBUM_FILE)])
    with library(root) as made:
        early_of(made)
    write_zip(root / NEWER, pair("PXL_2.jpg"))
    with library(root) as made:
        early, late = early_of(made)
    assert not early
    assert all(item.albums for item in late)


def test_what_an_earlier_run_read_counts_as_well(root):
    write_zip(root / FIRST, pair("PXL_1.jpg"))
    with library(root) as made:
        early_of(made)
    write_zip(root / NEWER, [*pair("PXL_1.jpg"), *pair("PXL_2.jpg")])
    with library(root) as made:
        early, late = early_of(made)
    assert [[item.name for item in some] for some in (early, late)] == [["PXL_2.jpg"], ["PXL_1.jpg"]]


@pytest.mark.parametrize("folder", [ALBUM, "Archive", "Trash", "Untitled"])
def test_only_the_folders_of_years_are_certain(root, folder):
    write_zip(root / FIRST, pair("PXL_1.jpg", folder))
    with library(root) as made:
        early, late = early_of(made)
    assert not early
    assert len(late) == 1


def test_a_sidecar_in_another_part_is_waited_for(root):
    members = pair("PXL_1.jpg")
    write_zip(root / FIRST, members[:1])
    write_zip(root / SECOND, members[1:])
    with library(root) as made:
        early, late = early_of(made)
    assert not early
    assert late[0].taken.instant == MILLISECONDS


def test_the_order_stays(root):
    write_zip(root / FIRST, [*pair("PXL_2(1).jpg"), *pair("PXL_2.jpg"), *pair("PXL_1.jpg")])
    with library(root) as made:
        first = [item.id for item in made.scan()]
        assert [item.id for item in made.scan()] == first
    with library(root) as made:
        assert [item.id for item in made.scan()] == first
    with library(root, cache="another") as made:
        assert len(list(made.albums())) == 0
        assert [item.id for item in made.scan()] == first
    assert first[0].startswith("PXL_1")


def test_a_title_that_contradicts_a_name_is_found_out(root):
    # The second photo's sidecar, read later, claims the first one's title; they have one size.
    write_zip(root / FIRST, pair("PXL_1.jpg", content=b"one size"))
    write_zip(root / SECOND, pair("IMG_2.jpg", content=b"one SIZE", title="PXL_1.jpg"))
    with library(root) as made:
        early, _ = early_of(made)
        assert [item.id for item in early] == ["PXL_1.jpg/8"]
        (warning,) = (one for one in made.inventory().warnings if "contradicts" in one)
        assert warning.startswith("1 photos")
    with library(root) as made:
        assert len(list(made.scan())) == 2


def test_a_listing_that_was_left_does_not_go_on(root):
    write_zip(root / FIRST, [*pair("PXL_1.jpg"), *pair("PXL_2.jpg")])
    with library(root) as made:
        left = made.scan()
        next(left)
        assert len(list(made.scan())) == 2
        with pytest.raises(FatalError, match="anew"):
            next(left)


def test_a_listing_may_be_left_and_the_library_closed(root):
    write_zip(root / FIRST, [*pair("PXL_1.jpg"), *pair("PXL_2.jpg")])
    with library(root) as made:
        left = made.scan()
        next(left)
    left.close()
    with library(root) as made:
        assert len(list(made.scan())) == 2


NAMES = (
    *("IMG_1.jpg", "IMG_1(1).jpg", "img_1.JPG", "IMG_1.MOV", "IMG_1-edited.jpg", "PXL_2.jpg", "PXL_2.MP", "DSC_3.jpg"),
    *("é_4.jpg", "(5).jpg", "20190703_142205.jpg", "20190703_142205_001.jpg", "metadata.jpg", "a" * 45 + ".jpg"),
)
MEMBERS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from([YEAR, YEAR, OTHER_YEAR, ALBUM]),
        st.sampled_from(PARTS),
        st.sampled_from(PARTS),
        st.sampled_from([b"one", b"two", b"three"]),
        st.sampled_from(["both", "both", "both", "photo", "sidecar"]),
        st.booleans(),
    ),
    max_size=14,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(MEMBERS, st.sampled_from([None, ALBUM, YEAR]))
def test_early_or_late_the_library_is_the_same(members, album):
    parts = {part: {} for part in PARTS}
    for name, folder, part, sidecar_part, content, which, favorite in members:
        photo, sidecar = pair(name, folder, content, favorited=favorite)
        if which != "sidecar":
            parts[part][photo[0]] = photo[1]
        if which != "photo":
            cut = f"{name}.supplemental-metadata"[:46] + ".json"
            parts[sidecar_part][f"{CONTAINER}/{folder}/{cut}"] = sidecar[1]
    if album:
        parts[SECOND][f"{CONTAINER}/{album}/metadata.json"] = ALBUM_FILE
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "archives"
        for part, content in parts.items():
            write_zip(root / part, content.items())
        with library(root, eager=False, cache="plain") as plain:
            wanted, account = by_id(list(plain.scan())), plain.inventory()
        with library(root) as made:
            assert by_id(list(made.scan())) == wanted
            assert made.inventory() == account
