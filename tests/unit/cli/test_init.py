"""``syncengine init``."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from syncengine.cli import exit_codes
from syncengine.cli.init import command
from syncengine.config.loading import load_profile
from syncengine.host import PluginHost


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(*answers, output="mine.yaml"):
    arguments = ["-o", output] if output else []
    return CliRunner().invoke(command, arguments, input="".join(f"{one}\n" for one in answers), standalone_mode=False)


def profile(path="mine.yaml"):
    return load_profile(Path(path), PluginHost())


def test_the_defaults_make_a_profile(here):
    done = answer("", "", "", "", "Europe/Rome")
    assert done.return_value == exit_codes.WELL
    found = profile()
    assert (found.name, found.source.name, str(found.zone)) == ("mine", "takeout", "Europe/Rome")
    assert [stage.name for stage in found.transforms] == ["heic-to-jpeg"]
    assert "syncengine plan mine.yaml" in done.output


def test_the_answers_are_what_is_written(here):
    answer("folder", "./my photos", "/mnt/nas", "n", "UTC")
    found = profile()
    assert (found.source.name, found.transforms, str(found.zone)) == ("folder", (), "UTC")
    assert str(found.destination.options.path) == "/mnt/nas"
    assert str(found.source.options.path).endswith("my photos")


@pytest.mark.parametrize(
    "path", ['a "quoted" one', "back\\slash", "colon: and # hash", "été 写真", "{braces}", "- dash"]
)
def test_any_path_is_written_so_that_it_is_read_back(here, path):
    answer("folder", path, path, "n", "UTC")
    found = profile()
    assert str(found.destination.options.path).endswith(path)


def test_the_file_is_asked_for_when_none_was_named(here):
    done = answer("profiles/nas at home.yaml", "", "", "", "", "UTC", output=None)
    assert done.return_value == exit_codes.WELL
    assert profile("profiles/nas at home.yaml").name == "nas-at-home"


def test_an_existing_file_is_never_overwritten(here):
    (here / "mine.yaml").write_text("precious")
    done = answer("", "", "", "", "UTC")
    assert "exists already" in str(done.exception)
    assert (here / "mine.yaml").read_text() == "precious"


def test_answers_that_make_no_valid_profile_leave_no_file(here):
    done = answer("folder", "photos", "backup", "n", "Europe/Nowhere")
    assert "Nowhere" in str(done.exception)
    assert list(here.iterdir()) == []


def test_an_answer_that_is_no_choice_is_asked_again(here):
    done = answer("floppy", "folder", "photos", "backup", "n", "UTC")
    assert "floppy" in done.output
    assert profile().source.name == "folder"
