from __future__ import annotations

import importlib
import logging
import sys
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path

import pytest

from syncengine.api import LedgerLine, Outcome, PluginError, RunReport, hookimpl
from syncengine.host import GROUP, PluginHost, bundled

PLUGIN = """
from syncengine.api import Meta, PluginOptions, Transform, hookimpl

class {name}(Transform[PluginOptions]):
    def accepts(self, asset): return False
    def apply(self, asset, workdir): return asset

@hookimpl
def syncengine_register(registry):
    registry.add("transform", "{plugin}", {name})
"""
OBSERVER = """
from syncengine.api import hookimpl
seen = []

@hookimpl
def syncengine_run_started(run):
    seen.append(run)
"""


class Installation:
    """Packages with entry points, made of files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._entries: list[EntryPoint] = []

    def package(self, name: str, entries: dict[str, str], modules: dict[str, str] | None = None) -> None:
        folder = self._root / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{entry} = {module}\n" for entry, module in entries.items())
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")
        for module, code in (modules or {}).items():
            (self._root / f"{module}.py").write_text(code)
        self._entries += PathDistribution(folder).entry_points

    def host(self) -> PluginHost:
        return PluginHost(lambda: self._entries)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Packages that can be imported while the test runs."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Installation(tmp_path)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def plugin(name: str) -> str:
    return PLUGIN.format(name=name.title().replace("-", ""), plugin=name)


def test_only_what_is_asked_for_is_imported(installation: Installation) -> None:
    installation.package(
        "photo-effects",
        {"transform.sepia": "pt_sepia", "transform.blur": "pt_blur"},
        {"pt_sepia": plugin("sepia"), "pt_blur": "raise RuntimeError('imported')"},
    )
    host = installation.host()
    assert host.names("transform") == ["blur", "sepia"]
    assert host.names("source") == []
    assert "pt_sepia" not in sys.modules
    assert host.get("transform", "sepia").__name__ == "Sepia"
    assert "pt_blur" not in sys.modules
    assert host.get("transform", "sepia") is host.get("transform", "sepia")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('no\\n  codec')", "cannot be loaded: RuntimeError: no codec"),
        ("import sys; sys.exit(3)", "cannot be loaded: SystemExit: 3"),
        ("import not_there_at_all", "cannot be loaded: ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("def f(:", "cannot be loaded: SyntaxError:"),
        ("x = 1", "broken-package 1.0 registers no transform of that name"),
        (plugin("other"), "broken-package 1.0 registers no transform of that name"),
        (plugin("sepia").replace("(registry)", "(registry, wrong)"), "cannot be loaded: PluginValidationError:"),
        (plugin("sepia") + "    raise ValueError('late')\n", "cannot be loaded: ValueError: late"),
        (plugin("sepia").replace("def apply", "def applied"), "Sepia lacks the methods apply"),
        (plugin("sepia").replace("Transform[PluginOptions]", "object"), "is not a Transform"),
        (plugin("sepia").replace("    def accepts", "    Options = dict\n    def accepts"), "is not a subclass of"),
    ],
)
def test_a_broken_plugin_says_why_in_one_line(installation: Installation, code: str, reason: str) -> None:
    installation.package("broken-package", {"transform.sepia": "pt_broken"}, {"pt_broken": code})
    installation.package("sound-package", {"transform.blur": "pt_sound"}, {"pt_sound": plugin("blur")})
    host = installation.host()
    for _ in range(2):
        with pytest.raises(PluginError) as caught:
            host.get("transform", "sepia")
        assert caught.value.plugin == "transform.sepia"
        assert reason in caught.value.reason
        assert "\n" not in str(caught.value)
    assert host.get("transform", "blur").__name__ == "Blur"


def test_a_name_that_two_packages_offer_is_refused_naming_both(installation: Installation) -> None:
    installation.package("effects-one", {"transform.sepia": "pt_one"}, {"pt_one": plugin("sepia")})
    installation.package("effects-two", {"transform.sepia": "pt_two"}, {"pt_two": plugin("sepia")})
    host = installation.host()
    assert host.names("transform") == ["sepia"]
    with pytest.raises(PluginError, match=r"offered by effects-one 1\.0 and effects-two 1\.0; uninstall one of them"):
        host.get("transform", "sepia")


def test_a_plugin_cannot_take_the_name_of_another(installation: Installation) -> None:
    thief = plugin("blur") + '    registry.add("transform", "sepia", Blur)\n'
    installation.package("effects", {"transform.sepia": "pt_s", "transform.blur": "pt_b"}, {"pt_s": plugin("sepia")})
    (Path(installation._root) / "pt_b.py").write_text(thief)
    host = installation.host()
    sepia = host.get("transform", "sepia")
    with pytest.raises(PluginError, match=r"the name is taken by pt_s\.Sepia"):
        host.get("transform", "blur")
    assert host.get("transform", "sepia") is sepia


def test_one_module_may_bring_several_plugins(installation: Installation) -> None:
    both = plugin("blur") + '    registry.add("transform", "sepia", type("Sepia", (Blur,), {}))\n'
    installation.package("effects", {"transform.sepia": "pt_both", "transform.blur": "pt_both"}, {"pt_both": both})
    host = installation.host()
    assert (host.get("transform", "blur").__name__, host.get("transform", "sepia").__name__) == ("Blur", "Sepia")


def test_a_plugin_that_is_not_there_is_refused_with_what_is() -> None:
    host = PluginHost(lambda: ())
    with pytest.raises(PluginError, match=r"transform\.sepia: not installed \(installed: none\)"):
        host.get("transform", "sepia")
    with pytest.raises(PluginError, match=r"observer\.diary: not installed \(installed: none\)"):
        host.observe("diary")


def test_all_lists_the_sound_and_the_broken(installation: Installation) -> None:
    installation.package("syncengine", {"transform.sepia": "pt_sepia"}, {"pt_sepia": plugin("sepia")})
    installation.package(
        "extras",
        {"transform.blur": "pt_blur", "observer.diary": "pt_diary", "sepia": "pt_sepia", "colour.red": "pt_sepia"},
        {"pt_blur": "1 / 0", "pt_diary": OBSERVER},
    )
    found = installation.host().all()
    assert [(each.kind, each.name, each.distribution, each.builtin) for each in found] == [
        ("colour", "red", "extras 1.0", False),
        ("observer", "diary", "extras 1.0", False),
        ("sepia", "", "extras 1.0", False),
        ("transform", "blur", "extras 1.0", False),
        ("transform", "sepia", "syncengine 1.0", True),
    ]
    assert [each.plugin.__name__ if each.plugin else None for each in found] == [None] * 4 + ["Sepia"]
    reasons = [each.error.reason if each.error else None for each in found]
    assert reasons[1] is reasons[4] is None
    assert "ZeroDivisionError" in str(reasons[3])
    assert reasons[0] == reasons[2]
    assert "not <kind>.<name> (kinds: source, transform, dedup, destination, observer)" in str(reasons[0])


def test_a_module_can_be_added_directly_and_is_asked_though_it_came_late(installation: Installation) -> None:
    (Path(installation._root) / "pt_direct.py").write_text(plugin("sepia"))
    host = installation.host()
    assert host.names("transform") == []
    pt_direct = importlib.import_module("pt_direct")
    host.add_module(pt_direct)
    host.add_module(pt_direct)
    assert host.names("transform") == ["sepia"]
    assert host.get("transform", "sepia") is pt_direct.Sepia
    assert [(each.name, each.distribution, each.builtin) for each in host.all()] == [("sepia", "not a package", False)]


class Diary:
    def __init__(self) -> None:
        self.lines: list[object] = []

    @hookimpl
    def syncengine_run_started(self, profile: str, run: str) -> None:
        self.lines.append((profile, run))

    @hookimpl
    def syncengine_item_finished(self, line: LedgerLine) -> None:
        self.lines.append(line.name)

    @hookimpl
    def syncengine_run_finished(self, report: RunReport) -> None:
        self.lines.append(report.run)


class Failing:
    calls = 0

    @hookimpl
    def syncengine_item_finished(self) -> None:
        self.calls += 1
        raise RuntimeError("disk of the observer is full")


def test_observers_are_told_and_one_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    host, first, failing, last = PluginHost(lambda: ()), Diary(), Failing(), Diary()
    host.add_module(first)
    host.add_module(failing)
    host._manager.register(last, "another diary")
    line = LedgerLine(outcome=Outcome.STORED, id="1", name="a.jpg")
    report = RunReport(run="r1", profile="nas", source="", destination="", started="", finished="")
    with caplog.at_level(logging.ERROR, "syncengine.host"):
        host.hook.syncengine_run_started(profile="nas", run="r1")
        for _ in range(3):
            host.hook.syncengine_item_finished(profile="nas", line=line)
        host.hook.syncengine_run_finished(profile="nas", report=report)
    assert first.lines == last.lines == [("nas", "r1"), "a.jpg", "a.jpg", "a.jpg", "r1"]
    assert failing.calls == 3
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.getMessage() == "observer Failing failed in syncengine_item_finished; the run goes on without it"


def test_an_observer_is_loaded_by_its_name_and_only_then(installation: Installation) -> None:
    installation.package("diaries", {"observer.diary": "pt_diary"}, {"pt_diary": OBSERVER})
    host = installation.host()
    host.hook.syncengine_run_started(profile="nas", run="unseen")
    assert host.names("observer") == ["diary"]
    assert "pt_diary" not in sys.modules
    host.observe("diary")
    host.observe("diary")
    host.hook.syncengine_run_started(profile="nas", run="r1")
    assert sys.modules["pt_diary"].seen == ["r1"]


def test_an_interrupt_is_not_an_observer_s_failure() -> None:
    class Interrupting:
        @hookimpl
        def syncengine_run_started(self) -> None:
            raise KeyboardInterrupt

    host = PluginHost(lambda: ())
    host.add_module(Interrupting())
    with pytest.raises(KeyboardInterrupt):
        host.hook.syncengine_run_started(profile="nas", run="r1")


def test_every_bundled_plugin_loads() -> None:
    host = PluginHost(bundled)
    found = host.all()
    assert {(each.kind, each.name) for each in found} >= {
        ("source", "takeout"),
        ("source", "folder"),
        ("transform", "heic-to-jpeg"),
        ("dedup", "sha256"),
        ("dedup", "perceptual"),
        ("destination", "filesystem"),
    }
    assert [each.error for each in found if each.error] == []
    assert all(each.builtin for each in found)
