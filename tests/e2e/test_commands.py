"""Every other command: its output for people, its JSON, its errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from syncengine.cli.entry import COMMANDS
from syncengine.config.document import parse


def test_help_names_every_command(desk):
    done = desk.run("--help")
    assert done.code == 0
    for name, summary in COMMANDS.items():
        assert name in done.out
        assert summary.split(".")[0][:40] in " ".join(done.out.split())


def test_version(desk):
    assert desk.run("--version").out.startswith("syncengine, version ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runn", "x"], "Did you mean 'run'?"),
        (["run"], "Missing argument"),
        (["run", "--limit", "-1", "x"], "-1"),
        (["--log-level", "loud", "validate", "profile.yaml"], "there is no log level 'loud'"),
        (["plugins", "nope"], "no plugin 'nope' is installed"),
    ],
)
def test_wrong_command_lines(desk, arguments, message):
    done = desk.run(*arguments)
    assert done.code == 2
    assert message in done.err
    assert done.out == ""


def test_plan_shows_each_item_and_why(desk):
    done = desk.run("plan", "profile.yaml")
    assert done.code == 0
    lines = done.out.splitlines()
    assert len(lines) == 4
    size = (desk.directory / "photos/IMG_20200101_000001.jpg").stat().st_size
    assert f"store     {size:>7} B  IMG_20200101_000001.jpg  (new)" in lines
    assert re.fullmatch(r"3 to store, 0 to update, 0 unchanged, 0 filtered; [12]\.\d kB to fetch", lines[-1])
    assert not (desk.directory / "backup").exists()
    desk.run("run", "profile.yaml")
    (desk.directory / "backup/photos/2020/01/IMG_20200101_000001.jpg").unlink()
    plan = desk.run("plan", "profile.yaml", "--all", "--json").json
    assert plan["counts"] == {"store": 1, "unchanged": 2}
    assert [item["reason"] for item in plan["items"] if item["action"] == "store"] == ["missing at the destination"]


def test_a_plan_is_kept_carried_out_and_refused_the_second_time(desk):
    done = desk.run("plan", "profile.yaml", "-o", "plan.json")
    assert done.code == 0
    assert done.out.endswith("Kept in plan.json. To do exactly this, and nothing else: syncengine apply plan.json\n")
    applied = desk.run("apply", "plan.json", "--json")
    assert applied.code == 0
    (report,) = applied.json["runs"]
    assert report["outcomes"]["stored"] == 3
    assert report["plan"].startswith(str(desk.directory / "plan.json"))
    before = desk.files()
    again = desk.run("apply", "plan.json")
    assert (again.code, again.out) == (3, "")
    assert "nothing was done: there is a destination at" in again.err
    assert len(again.err.splitlines()) == 1
    assert desk.files() == before
    assert desk.run("apply", "profile.yaml").code == 2
    assert desk.run("plan", "profile.yaml", "-o", "profile.yaml").code == 2


def test_a_reader_that_goes_away_gets_no_complaint(desk):
    process = desk.start("plan", "profile.yaml")
    process.stdout.close()
    assert process.wait(timeout=60) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


def test_validate(desk):
    desk.write("bad.yaml", "version: 1\nsource: {foldr: {path: x}}\ndestination: {filesystem: {pth: y}}\n")
    done = desk.run("validate", "profile.yaml", "bad.yaml", "missing.yaml")
    assert done.code == 2
    assert done.out == "profile.yaml: profile test is valid\n"
    assert "bad.yaml:2:10" in done.err
    assert "folder" in done.err
    assert "pth" in done.err
    assert "missing.yaml" in done.err


def test_albums(desk):
    assert "2  Rome  [id:" in desk.run("albums", "profile.yaml").out
    (album,) = desk.run("albums", "profile.yaml", "--json").json["albums"]
    assert (album["title"], album["count"]) == ("Rome", 2)


@pytest.mark.slow
def test_report_and_status(desk):
    done = desk.run("report", "profile.yaml")
    assert (done.code, done.err) == (
        3,
        "syncengine: profile test has not run yet; 'syncengine status profile.yaml' lists its runs\n",
    )
    assert desk.run("status").out == "No profile has run here yet.\n"
    run = desk.run("run", "profile.yaml", "--json").json["runs"][0]
    assert "stored             3" in desk.run("report", "profile.yaml").out
    assert desk.run("report", "profile.yaml", "--run", run["run"], "--json").json == run
    assert desk.run("report", "profile.yaml", "--run", "1999").code == 2
    assert "there is no earlier run" in desk.run("report", "profile.yaml", "--since", "last").err
    desk.photo("new.jpg", 33)
    desk.run("run", "profile.yaml")
    since = desk.run("report", "profile.yaml", "--since", "last")
    assert (since.code, since.err) == (0, "")
    assert "  new                    1\n    photos/" in since.out
    assert desk.run("report", "profile.yaml", "--since", run["run"], "--json").json["counts"] == {"new": 1}
    status = desk.run("status", "profile.yaml")
    assert status.code == 0
    assert "completed  1 stored" in status.out
    assert "due" not in status.out
    desk.write("profile.yaml", desk.profile.read_text() + 'schedule: "0 2 * * *"\n')
    assert " 02:00 UTC+0" in desk.run("status", "profile.yaml").out
    (entry,) = desk.run("status", "profile.yaml", "--json").json["profiles"]
    assert "T02:00:00+0" in entry["due"]
    assert entry["sign_in"] is None


def test_plugins(desk):
    listed = {f"{p['kind']}.{p['name']}": p for p in desk.run("plugins", "--json").json["plugins"]}
    assert {"source.takeout", "source.folder", "transform.heic-to-jpeg", "dedup.sha256", "dedup.perceptual"} <= set(
        listed
    )
    assert all(plugin["error"] is None for plugin in listed.values())
    assert listed["transform.heic-to-jpeg"]["options"]["properties"]["quality"]["default"] == 95
    described = desk.run("plugins", "heic-to-jpeg").out
    assert "quality: integer 1 to 100, default 95" in described


def test_schema(desk):
    schema = json.loads(desk.run("schema").out)
    assert "heic-to-jpeg" in json.dumps(schema)
    assert desk.run("schema", "--write").out == "wrote schemas/editor/profile.schema.json\n"
    assert json.loads((desk.directory / "schemas/editor/profile.schema.json").read_text()) == schema


def test_init_writes_a_profile_that_works(desk):
    answers = "folder\nphotos\nbackup2\ny\nEurope/Rome\n"
    done = desk.run("init", "-o", "profiles/mine.yaml", input=answers)
    assert done.code == 0
    parse((desk.directory / "profiles/mine.yaml").read_text(), "mine.yaml")
    assert desk.run("run", "profiles/mine.yaml").code == 0
    again = desk.run("init", "-o", "profiles/mine.yaml", input=answers)
    assert again.code == 2
    assert "exists already" in again.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(desk, shell):
    assert "_SYNCENGINE_COMPLETE" in desk.run("completion", shell).out


def test_an_internal_error_is_one_line(desk):
    desk.write("sitecustomize.py", "import syncengine.app\nsyncengine.app.load = lambda *_: 1 / 0\n")
    desk.environment["PYTHONPATH"] = str(desk.directory)
    done = desk.run("run", "profile.yaml")
    assert done.code == 3
    assert done.err.startswith("syncengine: internal error: ZeroDivisionError")
    assert len(done.err.splitlines()) == 1
    assert "Traceback" in desk.run("--debug", "run", "profile.yaml").err


def test_log_lines_as_json(desk):
    done = desk.run("--debug", "--log-json", "run", "nope.yaml")
    assert done.code == 2
    assert any(json.loads(line)["level"] == "debug" for line in done.err.splitlines() if line.startswith("{"))


def test_a_terminal_gets_a_live_line(desk):
    script = (
        f"import pty, sys; sys.exit(pty.spawn([{sys.executable!r}, '-m', 'syncengine', 'run', 'profile.yaml']) >> 8)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=desk.directory,
        env={**desk.environment, "TERM": "xterm", "COLUMNS": "120"},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"stored             3" in done.stdout
    assert b"\x1b[" in done.stdout
    assert os.linesep.encode() in done.stdout
