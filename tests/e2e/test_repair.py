"""``syncengine verify --repair``: from copies, from another profile's destination, from the source, or not at all."""

from __future__ import annotations

import time

import jsonschema
import pytest

from syncengine.config import schema_files
from syncengine.state.locks import profile_lock
from tests.e2e.conftest import PROFILE
from tests.e2e.test_verify import MAY, flip

ROME = "IMG_20190703_142205.jpg"
OTHER = PROFILE.replace("name: test", "name: other").replace("path: backup", "path: elsewhere")


def repaired(desk, *arguments):
    done = desk.run("verify", "profile.yaml", "--repair", "--json", *arguments)
    jsonschema.validate(done.json, schema_files.schema("verify.schema.json"))
    said = {one["path"]: ("+" if one["repaired"] else "") + one.get("repair", "") for one in done.json["findings"]}
    return done.code, said


@pytest.mark.slow
def test_from_the_source(desk):
    assert desk.run("run", "profile.yaml").code == 0
    before = desk.files("backup/photos")
    flip(desk.directory / "backup" / MAY / ROME)
    (desk.directory / "backup/photos/2020/01/IMG_20200101_000001.jpg").unlink()
    assert repaired(desk) == (
        0,
        {f"{MAY}/{ROME}": "+from the source", "photos/2020/01/IMG_20200101_000001.jpg": "+from the source"},
    )
    assert desk.files("backup/photos") == before
    done = desk.run("verify", "profile.yaml", "--json")
    assert (done.code, done.json["findings"]) == (0, [])
    assert "nothing changed" in desk.run("run", "profile.yaml").out


@pytest.mark.slow
def test_from_the_name_in_the_album_without_the_source(desk):
    assert desk.run("run", "profile.yaml").code == 0
    (desk.directory / "photos").rename(desk.directory / "away")
    (desk.directory / "backup" / MAY / ROME).unlink()
    (desk.directory / "backup/albums/Rome/IMG_20190704_080000.jpg").unlink()
    assert repaired(desk) == (
        0,
        {f"{MAY}/{ROME}": f"+from albums/Rome/{ROME}", "albums/Rome/IMG_20190704_080000.jpg": "+written again"},
    )


@pytest.mark.slow
def test_from_another_profile_that_ran_here_or_is_named(desk):
    desk.write("other.yaml", OTHER)
    for profile in ("profile.yaml", "other.yaml"):
        assert desk.run("run", profile).code == 0
    (desk.directory / "photos").rename(desk.directory / "away")
    place = desk.directory / "elsewhere"
    for arguments in ((), ("--from", "other.yaml")):
        flip(desk.directory / "backup" / MAY / ROME)
        assert repaired(desk, *arguments) == (0, {f"{MAY}/{ROME}": f"+from {MAY}/{ROME} of {place}"})
        (desk.directory / "state/profiles/other/profile.json").unlink(missing_ok=True)
    flip(desk.directory / "backup" / MAY / ROME)
    code, said = repaired(desk)
    assert code == 1
    assert said[f"{MAY}/{ROME}"].startswith("not repaired: ")


@pytest.mark.slow
def test_not_from_a_copy_with_a_flipped_bit(desk):
    desk.write("other.yaml", OTHER)
    for profile in ("profile.yaml", "other.yaml"):
        assert desk.run("run", profile).code == 0
    (desk.directory / "photos").rename(desk.directory / "away")
    flip(desk.directory / "elsewhere" / MAY / ROME)
    (desk.directory / "backup" / MAY / ROME).write_bytes(b"")
    code, said = repaired(desk)
    assert code == 1
    assert "not repaired" in said[f"{MAY}/{ROME}"]
    assert (desk.directory / "backup" / MAY / ROME).read_bytes() == b""


@pytest.mark.slow
def test_beside_a_run_nothing_is_repaired_and_it_says_so(desk):
    assert desk.run("run", "profile.yaml").code == 0
    (desk.directory / "backup" / MAY / ROME).unlink()
    with profile_lock(desk.directory / "state", "test"):
        done = desk.run("verify", "profile.yaml", "--repair", "--json")
    assert (done.code, done.json["counts"]) == (1, {"missing": 1})
    assert done.json["notes"] == ["nothing was repaired: profile test is running; repair again when it has ended"]


@pytest.mark.slow
def test_a_copy_to_take_from_makes_sense_in_a_repair_alone(desk):
    desk.write("other.yaml", OTHER)
    assert desk.run("verify", "profile.yaml", "--from", "other.yaml").code == 2
    desk.write("other.yaml", "version: 2\n")
    assert desk.run("verify", "profile.yaml", "--repair", "--from", "other.yaml").code == 2


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_lost_and_the_next_one_finishes(desk):
    for number in range(40):
        desk.photo(f"Rome/IMG_20190703_1000{number:02d}.jpg", number)
    desk.write("other.yaml", OTHER)
    for profile in ("profile.yaml", "other.yaml"):
        assert desk.run("run", profile).code == 0
    whole = desk.files("backup/photos")
    for delay in (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5):
        for number, path in enumerate(sorted(whole)):
            if number % 3 == 0:
                (desk.directory / "backup/photos" / path).write_bytes(b"damaged")
            elif number % 3 == 1:
                (desk.directory / "backup/photos" / path).unlink(missing_ok=True)
        if delay > 0.2:  # Those are left to the source.
            (desk.directory / "elsewhere/metadata/checksums.sha256").unlink(missing_ok=True)
        process = desk.start("verify", "profile.yaml", "--repair", "--restart")
        time.sleep(0.3 + delay)
        process.kill()
        process.communicate()
        for path, content in desk.files("backup/photos").items():
            assert content in (whole[path], b"damaged"), path
        assert desk.run("verify", "profile.yaml", "--repair", "--json").code == 0
        assert desk.files("backup/photos") == whole
    assert desk.run("verify", "profile.yaml").code == 0
    report = desk.run("run", "profile.yaml", "--json").json["runs"][0]  # It may have albums of a killed one to mend.
    assert (report["outcomes"]["unchanged"], report["bytes_written"]) == (43, 0)
    assert "nothing changed" in desk.run("run", "profile.yaml").out
