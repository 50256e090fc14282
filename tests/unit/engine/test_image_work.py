from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from syncengine.api import AppliedTransform, Asset, FatalError, Kind, MediaItem, PluginOptions
from syncengine.engine.image_work import needs_work, work_on
from tests.unit.engine.misbehaving import FirstBytes, LastBytes, Obedient, Plain

OPTIONS = PluginOptions()
OBEDIENT = Obedient(OPTIONS)


def make_asset(directory: Path, name: str, data: bytes = b"hello") -> Asset:
    path = directory / f"fetched-{name}"
    path.write_bytes(data)
    item = MediaItem(id=name, name=name, kind=Kind.PHOTO, content_token="t", raw={"title": name})
    return Asset(path=path, name=name, kind=Kind.PHOTO, item=item, size=len(data), sha256=sha256(data).digest())


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    return tmp_path / "work"


def test_the_engine_measures_what_a_transform_made(tmp_path: Path, workdir: Path) -> None:
    asset = make_asset(tmp_path, "upper.jpg")
    worked = work_on(asset, [OBEDIENT], [], workdir)
    (made,) = worked.assets
    assert made.path == workdir / "made.out"
    assert (made.size, made.sha256) == (5, sha256(b"HELLO").digest())
    assert made.applied == (AppliedTransform(name="upper"),)
    assert made.item is asset.item
    assert worked.failure == ""
    assert asset.path.read_bytes() == b"hello"


def test_each_transform_sees_what_the_one_before_made(tmp_path: Path, workdir: Path) -> None:
    class Exclaim(Obedient):
        def accepts(self, asset: Asset) -> bool:
            return asset.name == "made.out"

        def apply(self, asset: Asset, workdir: Path) -> Asset:
            made = workdir / "exclaimed"
            made.write_bytes(asset.path.read_bytes() + b"!")
            return Asset(path=made, name="exclaimed", kind=asset.kind, item=asset.item)

    (made,) = work_on(make_asset(tmp_path, "upper.jpg"), [OBEDIENT, Exclaim(OPTIONS)], [], workdir).assets
    assert made.sha256 == sha256(b"HELLO!").digest()
    assert [path.name for path in workdir.iterdir()] == ["exclaimed"]


def test_what_no_transform_accepts_stays_as_it_is(tmp_path: Path, workdir: Path) -> None:
    asset = make_asset(tmp_path, "notes.txt")
    worked = work_on(asset, [OBEDIENT], [], workdir)
    assert worked.assets == (asset,)
    assert not workdir.exists()


def test_a_transform_that_changes_nothing_cannot_change_the_account(tmp_path: Path, workdir: Path) -> None:
    asset = make_asset(tmp_path, "same.jpg")
    assert work_on(asset, [OBEDIENT], [], workdir).assets == (asset,)


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("refuse", "cannot decode: it is a sandwich"),
        ("stumble", "internal error in transform Obedient: TypeError: unsupported operand"),
        ("confused", "internal error in transform Obedient: KeyError: 'confused'"),
        ("nothing", "transform Obedient returned NoneType, not an asset"),
        ("absent", "transform Obedient did not leave a file in its working directory"),
        ("outside", "transform Obedient did not leave a file in its working directory"),
        ("link", "transform Obedient did not leave a file in its working directory"),
        ("empty", "transform Obedient made an empty file"),
    ],
)
@pytest.mark.filterwarnings("ignore:wobbly")
def test_a_failed_transform_gives_the_untouched_original(
    tmp_path: Path, workdir: Path, name: str, failure: str
) -> None:
    asset = make_asset(tmp_path, f"{name}.jpg")
    worked = work_on(asset, [OBEDIENT], [FirstBytes(OPTIONS)], workdir)
    assert worked.failure == failure
    assert worked.assets == (asset,)
    assert worked.fingerprints == {}


def test_an_unexpected_error_is_logged_with_its_traceback(
    tmp_path: Path, workdir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.warns(RuntimeWarning, match="wobbly"):
        work_on(make_asset(tmp_path, "stumble.jpg"), [OBEDIENT], [], workdir)
    assert "unsupported operand" in caplog.text
    assert "Traceback" in caplog.text


def test_a_long_message_of_many_lines_becomes_one_short_line(tmp_path: Path, workdir: Path) -> None:
    class Talkative(Obedient):
        def accepts(self, asset: Asset) -> bool:
            raise ImportError("\n\nfirst\n" + "more\n" * 1000)

    failure = work_on(make_asset(tmp_path, "a.jpg"), [Talkative(OPTIONS)], [], workdir).failure
    assert failure.startswith("internal error in transform Talkative: ImportError: first more")
    assert "\n" not in failure
    assert len(failure) < 400


@pytest.mark.parametrize("name", ["full", "fatal"])
def test_a_full_disk_ends_the_run_and_not_the_item(tmp_path: Path, workdir: Path, name: str) -> None:
    with pytest.raises(FatalError) as caught:
        work_on(make_asset(tmp_path, f"{name}.jpg"), [OBEDIENT], [], workdir)
    assert caught.value.advice


def test_a_working_directory_that_cannot_be_made_ends_the_run(tmp_path: Path) -> None:
    asset = make_asset(tmp_path, "upper.jpg")
    with pytest.raises(FatalError, match="cannot write"):
        work_on(asset, [OBEDIENT], [], tmp_path / "gone" / "work")


def test_fingerprints_are_taken_at_their_stage(tmp_path: Path, workdir: Path) -> None:
    deduplicators = [FirstBytes(OPTIONS), LastBytes(OPTIONS), Plain(OPTIONS)]
    worked = work_on(make_asset(tmp_path, "upper.jpg"), [OBEDIENT], deduplicators, workdir)
    assert worked.fingerprints == {"first-fetched": b"hell", "first-final": b"HELL"}
    assert worked.notes == ()


def test_a_file_that_a_method_does_not_cover_has_no_fingerprint(tmp_path: Path, workdir: Path) -> None:
    worked = work_on(make_asset(tmp_path, "same.doc"), [OBEDIENT], [FirstBytes(OPTIONS)], workdir)
    assert worked.fingerprints == {"first-fetched": None}
    assert worked.notes == ()


@pytest.mark.parametrize(("data", "note"), [(b"bad image", "no such image"), (b"long", "at most 64 bytes")])
def test_a_fingerprint_that_fails_is_a_note_and_no_failure(
    tmp_path: Path, workdir: Path, data: bytes, note: str
) -> None:
    asset = make_asset(tmp_path, "upper.jpg", data)
    worked = work_on(asset, [OBEDIENT], [FirstBytes(OPTIONS), LastBytes(OPTIONS)], workdir)
    assert worked.fingerprints == {"first-fetched": None, "first-final": None}
    assert worked.failure == ""
    assert worked.assets[0].sha256 == sha256(data.upper()).digest()
    assert len(worked.notes) == 2
    assert all(note in text for text in worked.notes)


def test_what_needs_work(tmp_path: Path) -> None:
    photo, text = make_asset(tmp_path, "upper.jpg"), make_asset(tmp_path, "notes.txt")
    assert needs_work(photo, [OBEDIENT], [])
    assert not needs_work(text, [OBEDIENT], [])
    assert not needs_work(photo, [], [Plain(OPTIONS)])
    assert needs_work(text, [], [Plain(OPTIONS), FirstBytes(OPTIONS)])
    assert needs_work(make_asset(tmp_path, "confused.jpg"), [OBEDIENT], [])
