from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.api import ItemState, Kind, PluginOptions, Selection
from syncengine.config.loading import load_profile
from syncengine.config.profile import Execution, Layout
from syncengine.errors import ConfigError
from syncengine.host import PluginHost

SMALLEST = "version: 1\nsource: {takeout: {path: ./in}}\ndestination: {filesystem: {path: ./out}}\n"

WHOLE = """\
# yaml-language-server: $schema=../schemas/editor/profile.schema.json
version: 1
name: nas
source:
  takeout:
    path: ${TAKEOUT_PATH:-./takeout}
select:
  albums: ["Rome *", "id:AF1Qip"]
  kinds: [photo, video]
  taken: {after: "2015-01-01", before: 2026-01-01}
  favorites: true
  exclude: {names: ["*.gif"], states: [trashed, locked]}
transforms:
  - heic-to-jpeg: {enabled: "${CONVERT_HEIC:-true}", quality: "${JPEG_QUALITY:-95}"}
dedup:
  - sha256
destination:
  filesystem:
    path: ${BACKUP_DESTINATION:-./backup}
layout:
  path: "photos/{taken:%Y}/{name}"
  albums: hardlink
  metadata: [json, xmp]
sync:
  mode: additive
execution:
  downloads: 7
  workers: 3
  bandwidth: 20MB/s
  item_timeout: 1.5
  item_memory: 2GiB
schedule: "0 2 * * *"
timezone: Europe/Rome
notify: []
logging: {level: debug}
"""


def test_every_key_of_a_profile_becomes_a_value(load) -> None:
    profile = load(WHOLE, {"JPEG_QUALITY": "80"})
    assert (profile.name, profile.file) == ("nas", Path("p.yaml"))
    assert (profile.source.name, profile.source.options.path) == ("takeout", "./takeout")
    assert profile.source.make().options is profile.source.options
    assert profile.select == Selection(
        albums=("Rome *", "id:AF1Qip"),
        kinds=(Kind.PHOTO, Kind.VIDEO),
        after=date(2015, 1, 1),
        before=date(2026, 1, 1),
        favorites=True,
        exclude_names=("*.gif",),
        exclude_states=(ItemState.TRASHED, ItemState.LOCKED),
    )
    assert [(stage.name, stage.options.quality) for stage in profile.transforms] == [("heic-to-jpeg", 80)]
    assert [stage.name for stage in profile.dedup] == ["sha256"]
    assert profile.destination.options.path == "./backup"
    assert profile.layout == Layout(path="photos/{taken:%Y}/{name}", albums="hardlink", metadata=("json", "xmp"))
    assert profile.execution == Execution(
        downloads=7, workers=3, bandwidth=20_000_000, item_timeout=1.5, item_memory=2 << 30
    )
    assert (profile.schedule, profile.zone, profile.log_level) == ("0 2 * * *", ZoneInfo("Europe/Rome"), "DEBUG")


@given(st.data())
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_profile_is_read_or_refused_line_by_line(load, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(WHOLE)))
    length = data.draw(st.integers(0, 12))
    damage = data.draw(st.text("{}[]:-#&*!|>'\"%@`, \n\t\\$0a~", max_size=4))
    try:
        load(WHOLE[:place] + damage + WHOLE[place + length :])
    except ConfigError as error:
        lines = [str(problem) for problem in error.problems]
    else:
        lines = ["p.yaml: read"]
    assert lines
    assert all(line.startswith("p.yaml:") and "\n" not in line for line in lines)


def test_what_is_not_said_has_its_default(load) -> None:
    profile = load(SMALLEST, {"TZ": "Asia/Tokyo"})
    assert (profile.name, profile.zone.key) == ("p", "Asia/Tokyo")
    assert (profile.select, profile.layout, profile.execution) == (Selection(), Layout(), Execution())
    assert (profile.transforms, profile.dedup, profile.observers) == ((), (), ())
    assert (profile.schedule, profile.log_level) == (None, None)


def test_a_section_whose_lines_are_all_commented_out_is_not_there(load) -> None:
    sections = ("select", "transforms", "dedup", "layout", "sync", "execution", "state", "notify", "logging")
    sections += ("schedule",)
    profile = load(SMALLEST + "".join(f"{section}:\n#  - x\n" for section in sections))
    assert (profile.select, profile.transforms, profile.layout) == (Selection(), (), Layout())


def test_a_damaged_state_stops_a_run_unless_the_profile_says_otherwise(load) -> None:
    assert load(SMALLEST).rebuild_damaged_state is False
    assert load(SMALLEST + "state: {when_damaged: stop}\n").rebuild_damaged_state is False
    assert load(SMALLEST + "state: {when_damaged: rebuild}\n").rebuild_damaged_state is True


def test_a_stage_is_a_name_or_a_name_with_options(load) -> None:
    profile = load(SMALLEST + "transforms:\n  - heic-to-jpeg\n  - heic-to-jpeg:\n  - heic-to-jpeg: {quality: 1}\n")
    assert [stage.options.quality for stage in profile.transforms] == [95, 95, 1]


@pytest.mark.parametrize(
    ("written", "environ", "count"),
    [
        ("false", {}, 0),
        ("true", {}, 1),
        ('"${CONVERT:-true}"', {}, 1),
        ("${CONVERT:-true}", {"CONVERT": "False"}, 0),
        ('"${CONVERT:-true}"', {"CONVERT": ""}, 1),
    ],
)
def test_enabled_false_leaves_a_stage_out(load, written: str, environ: dict[str, str], count: int) -> None:
    profile = load(f"{SMALLEST}transforms:\n  - heic-to-jpeg:\n      enabled: {written}\n", environ)
    assert len(profile.transforms) == count


@pytest.mark.parametrize("written", ["${Q:-95}", '"${Q:-95}"', "'${Q:-95}'", '"9${FIVE:-5}"'])
def test_a_variable_gets_its_type_after_it_was_put_in_whatever_its_quotes(load, written: str) -> None:
    profile = load(f"{SMALLEST}transforms:\n  - heic-to-jpeg:\n      quality: {written}\n")
    assert profile.transforms[0].options.quality == 95


@pytest.mark.parametrize("album", ["2019", "1.50", "true", "null", "~", "Rome: [2019] #1", "${HOME}", "*.jpg", "no"])
def test_a_variable_is_text_where_text_is_wanted(load, album: str) -> None:
    text = SMALLEST.replace("./out", '"${ALBUM}"') + "select: {albums: ['${ALBUM}', 'x${ALBUM}']}\n"
    profile = load(text, {"ALBUM": album})
    assert profile.select.albums == (album, f"x{album}")
    assert profile.destination.options.path == album


def test_a_variable_may_fill_one_part_of_a_choice_with_text(load) -> None:
    text = SMALLEST + "transforms:\n  - heic-to-jpeg: {keep_original: '${KEEP}', border: {colour: '${COLOUR}'}}\n"
    options = load(text, {"KEEP": "when-lossy", "COLOUR": "777"}).transforms[0].options
    assert (options.keep_original, options.border.colour) == ("when-lossy", "777")
    assert load(text, {"KEEP": "true", "COLOUR": "red"}).transforms[0].options.keep_original is True


def test_an_escaped_reference_is_text_and_keeps_its_quotes(load) -> None:
    profile = load(SMALLEST.replace("./out", '"$${X}"').replace("./in", "'$${}95'"))
    assert (profile.destination.options.path, profile.source.options.path) == ("${X}", "${}95")


def test_empty_turns_an_optional_value_off(load) -> None:
    text = SMALLEST + "execution: {bandwidth: '${LIMIT:-}'}\nschedule: ${WHEN:-}\ntimezone: ${ZONE:-}\n"
    profile = load(text)
    assert (profile.execution.bandwidth, profile.schedule) == (None, None)
    assert load(text, {"LIMIT": "1000"}).execution.bandwidth == 1000


def test_workers_auto_is_as_many_as_there_are_cores(load) -> None:
    assert load(SMALLEST + "execution: {workers: auto}\n").execution.workers is None
    assert load(SMALLEST + "execution: {workers: '${W:-auto}'}\n", {"W": "2"}).execution.workers == 2


def test_a_file_whose_name_is_no_profile_s_needs_a_name(
    tmp_path: Path, plugins: PluginHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my photos.yaml").write_text(SMALLEST)
    with pytest.raises(ConfigError, match=r"^my photos\.yaml:1:1: \$: the file's name cannot be the profile's"):
        load_profile(Path("my photos.yaml"), plugins, environ={})
    Path("my photos.yaml").write_text(SMALLEST + "name: mine\n")
    assert load_profile(Path("my photos.yaml"), plugins, environ={}).name == "mine"


def test_a_dotenv_beside_the_profile_is_read(tmp_path: Path, plugins: PluginHost) -> None:
    (tmp_path / "p.yaml").write_text(SMALLEST.replace("./out", '"${BACKUP_DESTINATION}"'))
    (tmp_path / ".env").write_text("BACKUP_DESTINATION=/mnt/nas\n")
    assert load_profile(tmp_path / "p.yaml", plugins, environ={}).destination.options.path == "/mnt/nas"
    environ = {"BACKUP_DESTINATION": "/mnt/other"}
    assert load_profile(tmp_path / "p.yaml", plugins, environ=environ).destination.options.path == "/mnt/other"


def test_a_broken_plugin_is_a_problem_at_its_name_and_harms_nobody_else(load, plugins: PluginHost) -> None:
    class BrokenCatalog:
        def names(self, kind: str) -> list[str]:
            return [*plugins.names(kind), "sepia"]

        def get(self, kind, name):
            return PluginHost(lambda: ()).get(kind, name) if name == "sepia" else plugins.get(kind, name)

    Path("p.yaml").write_text(SMALLEST + "transforms:\n  - heic-to-jpeg\n")
    assert load_profile(Path("p.yaml"), BrokenCatalog(), environ={}).name == "p"
    Path("p.yaml").write_text(SMALLEST + "transforms:\n  - sepia: {depth: 1}\n")
    with pytest.raises(ConfigError) as caught:
        load_profile(Path("p.yaml"), BrokenCatalog(), environ={})
    assert str(caught.value) == (
        "p.yaml:5:5: $.transforms[0].sepia: the plugin transform.sepia is broken: not installed (installed: none)"
    )


def test_an_observer_is_named_under_notify_and_takes_no_options(load, plugins: PluginHost) -> None:
    class WithObservers:
        def names(self, kind: str) -> list[str]:
            return ["diary", "ledger"] if kind == "observer" else plugins.names(kind)

        def get(self, kind, name):
            return plugins.get(kind, name)

    text = SMALLEST + "notify:\n  - diary\n  - ledger: {enabled: false}\n"
    Path("p.yaml").write_text(text)
    assert load_profile(Path("p.yaml"), WithObservers(), environ={}).observers == ("diary",)
    Path("p.yaml").write_text(text.replace("enabled: false", "volume: 3"))
    with pytest.raises(ConfigError) as caught:
        load_profile(Path("p.yaml"), WithObservers(), environ={})
    assert str(caught.value) == "p.yaml:6:14: $.notify[1].ledger.volume: an observer takes no options"


def test_options_that_cannot_be_described_are_the_plugin_s_fault(load, plugins: PluginHost) -> None:
    class Tree(PluginOptions):
        children: tuple[Tree, ...] = ()

    class Recursive:
        Options = Tree

    Tree.__annotations__["children"] = tuple[Tree, ...]

    class WithRecursive:
        def names(self, kind: str) -> list[str]:
            return [*plugins.names(kind), "tree"]

        def get(self, kind, name):
            return Recursive if name == "tree" else plugins.get(kind, name)

    Path("p.yaml").write_text(SMALLEST + "transforms: [tree]\n")
    with pytest.raises(ConfigError, match=r"plugin transform\.tree is broken: its options cannot be described"):
        load_profile(Path("p.yaml"), WithRecursive(), environ={})
