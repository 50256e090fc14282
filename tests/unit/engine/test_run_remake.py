"""A changed recipe: what is there stays, until a run is told to make it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import AlbumRef, AppliedTransform, Asset, ItemError, PluginOptions, Transform
from syncengine.engine import recipe
from syncengine.engine.layout import recipe_of
from syncengine.engine.recipe import difference
from syncengine.testing.faults import Fault, Faults, FaultyDestination
from tests.unit.engine.photos import ROME, assert_checksums_hold, photo

TRASH = ".syncengine/trash"


class Jpeg(Transform[PluginOptions]):
    """Turns what begins with ``heic`` into a JPEG of a quality."""

    def __init__(self, quality: int, *, keep: bool = False, broken: bool = False) -> None:
        super().__init__(PluginOptions())
        self.quality, self.keep, self.broken = quality, keep, broken

    def accepts(self, asset: Asset) -> bool:
        return asset.path.read_bytes().startswith(b"heic")

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        if self.broken:
            raise ItemError("cannot be decoded")
        made = workdir / f"{asset.path.name}-made"
        made.write_bytes(b"jpeg %d of " % self.quality + asset.path.read_bytes())
        applied = AppliedTransform(name="jpeg", options={"quality": self.quality, "keep": self.keep})
        name = asset.name.rpartition(".")[0] + ".jpg"
        return msgspec.structs.replace(asset, path=made, name=name, applied=(applied,), keep_original=self.keep)


def use(backup: Any, *transforms: Jpeg) -> None:
    """Let a backup have these transforms."""
    backup.transforms = transforms
    backup.recipe = recipe_of([("jpeg", {"quality": one.quality, "keep": one.keep}) for one in transforms])


def remade(backup: Any, *transforms: Jpeg) -> Any:
    """Run with ``remake`` and these transforms; then once more, which changes nothing."""
    use(backup, *transforms)
    backup.remake = True
    report = backup.run()
    before = dict(backup.destination.storage.entries)
    again = backup.run()
    assert again.outcomes["unchanged"] == len(backup.library.items)
    assert again.bytes_written == 0
    changed = {path for path, entry in backup.destination.storage.entries.items() if before.get(path) is not entry}
    assert all(path.startswith(("logs/", "metadata/c", "metadata/d")) for path in changed)
    backup.remake = False
    assert_checksums_hold(backup)
    return report


def test_what_is_there_stays_and_the_run_says_so(backup: Any) -> None:
    backup.library.add(photo("1.heic"), b"heic 1")
    backup.library.add(photo("2.jpg"), b"other")
    use(backup, Jpeg(95))
    backup.run()
    use(backup, Jpeg(85))
    report = backup.run()
    assert report.warnings == ("1 files were made by another recipe and stay so; run with --remake to make them again",)
    assert backup.files() == {"photos/2019/05/1.jpg": b"jpeg 95 of heic 1", "photos/2019/05/2.jpg": b"other"}
    use(backup, Jpeg(95))
    assert backup.run().warnings == ()


@pytest.mark.parametrize("keep", [False, True])
def test_a_file_is_made_again_in_its_place(backup: Any, keep: bool) -> None:
    backup.library.add(photo("1.heic", albums=(ROME,)), b"heic 1")
    backup.library.add(photo("2.jpg", albums=(ROME,)), b"other")
    use(backup, Jpeg(95, keep=keep))
    backup.run()
    report = remade(backup, Jpeg(85, keep=keep))
    kept = {"photos/2019/05/1.heic": b"heic 1"} if keep else {}
    assert backup.files() == {"photos/2019/05/1.jpg": b"jpeg 85 of heic 1", "photos/2019/05/2.jpg": b"other"} | kept
    assert report.bytes_read == (0 if keep else 6)
    assert (report.outcomes["stored"], report.outcomes["unchanged"], report.complete) == (1, 1, True)
    assert [line.reason for line in backup.ledger(report) if line.outcome == "stored"] == [
        "made by another recipe: jpeg: quality 95 -> 85"
    ]
    assert backup.read("albums/Rome/1.jpg") == b"jpeg 85 of heic 1"
    storage = backup.destination.storage
    assert storage.file("albums/Rome/1.jpg") is storage.file("photos/2019/05/1.jpg")
    assert list(backup.files(TRASH).values()) == [b"jpeg 95 of heic 1"]
    assert backup.document("photos/2019/05/1.jpg")["transforms"][0]["options"]["quality"] == 85


def test_a_transform_that_is_new_takes_what_is_stored_for_the_original(backup: Any) -> None:
    backup.metadata = ("json", "xmp")
    backup.library.add(photo("1.heic", albums=(ROME,)), b"heic 1")
    backup.library.add(photo("2.jpg"), b"other")
    backup.run()
    report = remade(backup, Jpeg(95))
    assert set(backup.files("")) - set(backup.files("logs")) - set(backup.files("metadata/catalog")) == {
        *(f"{TRASH}/run-002/photos/2019/05/1.heic",),
        *("photos/2019/05/1.jpg", "photos/2019/05/1.jpg.xmp", "photos/2019/05/2.jpg", "photos/2019/05/2.jpg.xmp"),
        *("albums/Rome/1.jpg", "albums/Rome/album.json", "metadata/checksums.sha256", "metadata/deduplication.json"),
        *("metadata/photos/2019/05/1.jpg.json", "metadata/photos/2019/05/2.jpg.json"),
    }
    assert report.bytes_read == 0
    assert backup.read("photos/2019/05/1.jpg") == b"jpeg 95 of heic 1"


@pytest.mark.parametrize("keep", [False, True])
def test_a_transform_that_is_gone_gives_the_original_back(backup: Any, keep: bool) -> None:
    backup.library.add(photo("1.heic"), b"heic 1")
    use(backup, Jpeg(95, keep=keep))
    backup.run()
    report = remade(backup)
    assert backup.files() == {"photos/2019/05/1.heic": b"heic 1"}
    assert list(backup.files(TRASH).values()) == [b"jpeg 95 of heic 1"]
    assert report.bytes_read == (0 if keep else 6)


def test_originals_are_kept_from_now_on_and_then_no_more(backup: Any) -> None:
    backup.library.add(photo("1.heic"), b"heic 1")
    use(backup, Jpeg(95))
    backup.run()
    remade(backup, Jpeg(95, keep=True))
    assert backup.files() == {"photos/2019/05/1.jpg": b"jpeg 95 of heic 1", "photos/2019/05/1.heic": b"heic 1"}
    assert backup.files(TRASH) == {}
    remade(backup, Jpeg(95))
    assert backup.files() == {"photos/2019/05/1.jpg": b"jpeg 95 of heic 1"}
    assert list(backup.files(TRASH).values()) == [b"heic 1"]


def test_what_fails_stays_as_it_is(backup: Any) -> None:
    backup.library.add(photo("1.heic"), b"heic 1")
    use(backup, Jpeg(95))
    backup.run()
    use(backup, Jpeg(85, broken=True))
    backup.remake = True
    report = backup.run()
    assert report.failures[0]["reason"].endswith("the file stays as it was: cannot be decoded")
    assert backup.files() == {"photos/2019/05/1.jpg": b"jpeg 95 of heic 1"}
    backup.remake = False
    assert backup.run().outcomes["unchanged"] == 1
    remade(backup, Jpeg(85))


@pytest.mark.parametrize("keep", [False, True])
def test_what_left_the_source_is_made_again_from_its_kept_original_or_stays(backup: Any, keep: bool) -> None:
    full = photo("1.heic", description="a dog", albums=(ROME,))
    backup.library.add(full, b"heic 1")
    use(backup, Jpeg(95, keep=keep))
    backup.run()
    backup.library.remove("1.heic")
    report = remade(backup, Jpeg(85, keep=keep))
    assert (report.listed, report.complete) == (0, True)
    quality = b"85" if keep else b"95"
    assert backup.read("photos/2019/05/1.jpg") == b"jpeg %b of heic 1" % quality
    assert backup.document("photos/2019/05/1.jpg")["description"] == "a dog"
    if not keep:
        assert "and no original is kept (photos/2019/05/1.jpg)" in report.warnings[0]


def test_a_limit_and_an_album_narrow_it(backup: Any) -> None:
    for number in range(3):
        albums = (ROME,) if number == 2 else ()
        backup.library.add(photo(f"{number}.heic", albums=albums), b"heic %d" % number)
    use(backup, Jpeg(95))
    backup.run()
    use(backup, Jpeg(85))
    backup.remake, backup.limit = True, 1
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["unchanged"]) == (1, 2)
    backup.limit, backup.select = None, msgspec.structs.replace(backup.select, albums=("Rome",))
    assert backup.run().outcomes["stored"] == 1
    assert sorted(content[:7] for content in backup.files().values()) == [b"jpeg 85", b"jpeg 85", b"jpeg 95"]


def test_its_copies_follow(backup: Any) -> None:
    backup.library.add(photo("1.heic"), b"heic 1")
    backup.library.add(photo("2.heic", albums=(AlbumRef("s", "Sea"),)), b"heic 1")
    backup.run()
    remade(backup, Jpeg(95))
    assert backup.files() == {"photos/2019/05/1.jpg": b"jpeg 95 of heic 1"}
    assert backup.read("albums/Sea/1.jpg") == b"jpeg 95 of heic 1"


def test_new_metadata_is_taken_along(backup: Any) -> None:
    backup.library.add(photo("1.heic", metadata_token="a"), b"heic 1")
    backup.run()
    backup.library.add(photo("1.heic", metadata_token="b", description="a dog"), b"heic 1")
    remade(backup, Jpeg(95))
    assert backup.document("photos/2019/05/1.jpg")["description"] == "a dog"


def test_a_damaged_original_does_not_replace_anything(backup: Any) -> None:
    backup.library.add(photo("1.heic"), b"heic 1")
    use(backup, Jpeg(95, keep=True))
    backup.run()
    backup.destination.storage.file("photos/2019/05/1.heic").content = b"heic ?"
    use(backup, Jpeg(85, keep=True))
    backup.remake = True
    report = backup.run()
    assert "other bytes than those that it was made of" in report.failures[0]["reason"]
    assert backup.read("photos/2019/05/1.jpg") == b"jpeg 95 of heic 1"


def test_where_the_trash_takes_nothing_the_old_file_stays(backup: Any) -> None:
    backup.library.add(photo("1.heic"), b"heic 1")
    use(backup, Jpeg(95))
    backup.run()
    good = backup.destination
    backup.destination = FaultyDestination(good, Faults([Fault("move", ItemError("no permission"), times=None)]))
    use(backup, Jpeg(85))
    backup.remake = True
    report = backup.run()
    assert "cannot be moved to the trash" in report.failures[0]["reason"]
    assert backup.files() == {"photos/2019/05/1.jpg": b"jpeg 95 of heic 1"}
    backup.destination = good
    remade(backup, Jpeg(85))
    assert backup.files() == {"photos/2019/05/1.jpg": b"jpeg 85 of heic 1"}


def test_the_difference_in_words() -> None:
    old = recipe_of([("a", {"q": 95, "x": "1"}), ("b", {}), ("b", {"n": 1})])
    new = recipe_of([("b", {}), ("a", {"q": 85, "x": "1"}), ("c", {}), ("b", {"n": 2})])
    assert difference(old, new) == "with c; a: q 95 -> 85; b 2: n 1 -> 2"
    assert difference("", new) == "with b; with a; with c; with b 2"
    assert difference(old, "[]") == "without a; without b; without b 2"
    assert difference("[damaged", new).startswith("with b")
    assert difference(recipe_of([("a", {}), ("b", {})]), recipe_of([("b", {}), ("a", {})])) == "the transforms' order"
    assert recipe.applied_by(old) == ()
    assert recipe.applied_by(recipe_of([("a", {"q": 1})])) == (AppliedTransform(name="a", options={"q": 1}),)
