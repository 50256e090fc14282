"""``syncengine state`` and what runs do with a state that is lost or damaged."""

from __future__ import annotations

import shutil
import subprocess

import pillow_heif
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

PROFILE = """\
version: 1
name: {name}
source:
  folder: {{path: photos, folders_as_albums: true}}
transforms:
  - heic-to-jpeg: {{keep_original: true}}
dedup: [sha256, perceptual]
destination:
  filesystem: {{path: backup}}
layout: {{metadata: [json, xmp]}}
timezone: Europe/Rome
"""


@pytest.fixture
def library(desk):
    """A library with all that makes a state hard to make again; its profile converts, and keeps originals."""
    pillow_heif.register_heif_opener()
    heic = desk.directory / "photos/Rome/IMG_20190705_120000.heic"
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(heic, quality=90)
    twin = desk.photo("again.jpg", 10)
    shutil.copyfile(desk.directory / "photos/Rome/IMG_20190703_142205.jpg", twin)
    video = desk.directory / "photos/Rome/film.mp4"
    video.write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100))
    desk.write("profile.yaml", PROFILE.format(name="test"))
    broken = desk.directory / "photos/Rome/IMG_20190706_120000.heic"
    desk.break_a_heic = lambda: broken.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    return desk


def tree(desk):
    """Return path, content and time of everything at the destination but the runs' own papers."""
    root = desk.directory / "backup"
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in ("logs", ".syncengine")
    }


def photos(files):
    return {path: content for path, content in files.items() if path.startswith("photos/")}


def lose_the_state(desk):
    shutil.rmtree(desk.directory / "state")


def run(desk, code=0):
    """Run once and return the report."""
    done = desk.run("run", "profile.yaml", "--json")
    assert done.code == code, done.err
    return done.json["runs"][0]


def rebuild(desk, *arguments):
    done = desk.run("state", "rebuild", "profile.yaml", "--json", *arguments)
    assert done.code == 0, done.err
    return done.json


def test_from_the_catalog_and_then_a_run_changes_nothing(library):
    first = run(library)
    before = tree(library)
    lose_the_state(library)
    done = rebuild(library)
    assert (done["contents"], done["items"]) == (first["outcomes"]["stored"], {"test": first["listed"]})
    assert (done["damaged"], done["from_metadata"], done["found"], done["warnings"]) == (0, 0, 0, [])
    assert library.run("report", "profile.yaml", "--json").json == first
    checked = library.run("state", "check", "profile.yaml", "--json")
    assert (checked.code, checked.json["problems"], checked.json["notes"]) == (0, [], [])
    second = run(library)
    assert tree(library) == before
    assert (second["outcomes"]["unchanged"], second["bytes_read"]) == (first["listed"], 0)
    assert [entry["run"] for entry in library.run("status", "profile.yaml", "--json").json["profiles"][0]["runs"]] == [
        second["run"],
        first["run"],
    ]


def test_a_run_makes_a_lost_state_again_by_itself(library):
    first = run(library)
    before = tree(library)
    lose_the_state(library)
    second = run(library)
    assert tree(library) == before
    assert (second["outcomes"]["unchanged"], second["bytes_read"]) == (first["listed"], 0)
    assert "was made again" in second["warnings"][0]
    assert run(library)["warnings"] == first["warnings"]


def test_a_failed_transform_is_tried_again_after_each_way(library):
    library.break_a_heic()
    run(library, code=1)
    before = photos(tree(library))
    for lost in ("state", "backup/metadata/catalog", "backup/metadata"):
        for path in dict.fromkeys(("state", lost)):
            shutil.rmtree(library.directory / path)
        rebuild(library)
        report = run(library, code=1)
        assert (report["outcomes"]["failed"], report["bytes_written"]) == (1, 0), lost
        assert {path: content for path, (content, _) in photos(tree(library)).items()} == {
            path: content for path, (content, _) in before.items()
        }


def test_from_the_metadata_files(library):
    first = run(library)
    before = tree(library)
    lose_the_state(library)
    shutil.rmtree(library.directory / "backup/metadata/catalog")
    done = rebuild(library)
    assert (done["from_metadata"], done["found"], done["lines"]) == (first["outcomes"]["stored"], 0, 0)
    second = run(library)
    assert (second["bytes_written"], second["outcomes"]["failed"]) == (0, 0)
    after = tree(library)
    assert photos(after).keys() == photos(before).keys()
    for path, (content, mtime) in before.items():
        if not path.startswith("metadata/catalog/"):
            assert after[path][0] == content, path
            assert after[path][1] == mtime or not path.startswith("photos/") or path.endswith(".xmp"), path
    third = run(library)
    assert (third["outcomes"]["unchanged"], third["bytes_read"]) == (first["listed"], 0)
    lose_the_state(library)
    assert run(library)["bytes_read"] == 0, "the catalog and the metadata files together tell everything again"


def test_from_the_files_alone(library):
    first = run(library)
    before = tree(library)
    moved = library.directory / "backup/photos/kept/else where.jpg"
    moved.parent.mkdir()
    (library.directory / "backup/photos/2019/07/IMG_20190704_080000.jpg").rename(moved)
    lose_the_state(library)
    shutil.rmtree(library.directory / "backup/metadata")
    done = rebuild(library)
    assert (done["from_metadata"], done["lines"]) == (0, 0)
    assert done["found"] == len([path for path in before if path.startswith("photos/") and path[-4:] != ".xmp"])
    second = run(library)
    assert second["bytes_written"] == 0
    stored = {path: content for path, (content, _) in photos(tree(library)).items() if not path.endswith(".xmp")}
    wanted = {path: content for path, (content, _) in photos(before).items() if not path.endswith(".xmp")}
    wanted["photos/kept/else where.jpg"] = wanted.pop("photos/2019/07/IMG_20190704_080000.jpg")
    assert stored == wanted
    third = run(library)
    assert (third["outcomes"]["unchanged"], third["bytes_read"]) == (first["listed"], 0)
    listed = (library.directory / "backup/metadata/checksums.sha256").read_text()
    assert all(f"  {path}\n" in listed for path in wanted)
    assert library.run("state", "check", "profile.yaml").code == 0


def test_the_commands_as_people_see_them(library):
    run(library)
    done = library.run("state", "check", "profile.yaml")
    assert (done.code, done.err) == (0, "")
    assert "records read: nothing is wrong" in done.out
    done = library.run("state", "rebuild", "profile.yaml", "--hash")
    assert (done.code, done.err) == (0, "")
    assert "lines of 1 catalogs" in done.out
    assert "of test" in done.out
    done = library.run("state", "backup", "profile.yaml", "copy.mdb")
    assert (done.code, done.out.partition(":")[0]) == (0, "copy.mdb")
    done = library.run("state", "backup", "profile.yaml", "copy.mdb")
    assert (done.code, len(done.err.splitlines())) == (3, 1)
    assert library.run("state", "backup", "profile.yaml", "--json").json["bytes"] > 0


def test_a_damaged_store_by_command_and_by_a_run(library):
    first = run(library)
    store = library.directory / "state/state.lmdb/data.mdb"
    content = bytearray(store.read_bytes())
    store.write_bytes(content[: len(content) // 2])
    done = library.run("state", "check", "profile.yaml")
    assert done.code == 3
    assert "is damaged" in done.out
    assert "syncengine state rebuild" in done.out
    library.write("profile.yaml", library.profile.read_text() + "state: {when_damaged: rebuild}\n")
    second = run(library)
    assert (second["outcomes"]["unchanged"], second["bytes_read"]) == (first["listed"], 0)
    (aside,) = (library.directory / "state").glob("state.lmdb.damaged-*")
    assert (aside / "data.mdb").stat().st_size == len(content) // 2
    assert str(aside) in second["warnings"][0]


def test_a_killed_rebuilding_is_gone_on_with(library):
    first = run(library)
    for number in range(6):
        process = library.start("state", "rebuild", "profile.yaml")
        try:
            process.communicate(timeout=0.35 + 0.06 * number)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    second = run(library)
    assert (second["outcomes"]["unchanged"], second["bytes_read"]) == (first["listed"], 0)
    assert library.run("state", "check", "profile.yaml").code == 0
