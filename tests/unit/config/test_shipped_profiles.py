from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncengine.config.interpolation import environment
from syncengine.config.loading import load_profile
from syncengine.config.profile import Profile
from syncengine.host import PluginHost, bundled

CHECKOUT = Path(__file__).parents[3]
PROFILES = sorted((CHECKOUT / "profiles").glob("*.yaml"))
REFERENCE = re.compile(r"\$\{([A-Z_]+)(?::-([^}]*))?\}")


@pytest.fixture
def load_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Load a shipped profile far from any ``.env`` of the checkout."""
    monkeypatch.chdir(tmp_path)
    host = PluginHost(bundled)

    def load(name: str, **environ: str) -> Profile:
        copy = tmp_path / name
        copy.write_bytes((CHECKOUT / "profiles" / name).read_bytes())
        return load_profile(copy, host, environ=environ)

    return load


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_a_shipped_profile_is_valid_and_called_like_its_file(load_shipped, profile: Path) -> None:
    assert load_shipped(profile.name, ALBUM="Rome 2019").name == profile.stem


def test_the_seed_s_variables_work_in_the_nas_profile(load_shipped) -> None:
    profile = load_shipped(
        "nas.yaml",
        BACKUP_DESTINATION="/mnt/nas/photos",
        JPEG_QUALITY="80",
        MAX_CONCURRENT_DOWNLOADS="9",
        LOG_LEVEL="debug",
        TAKEOUT_PATH="/mnt/takeout",
    )
    assert profile.source.options.path == "/mnt/takeout"
    assert profile.destination.options.path == "/mnt/nas/photos"
    assert [stage.options.quality for stage in profile.transforms] == [80]
    assert [stage.name for stage in profile.dedup] == ["sha256"]
    assert (profile.execution.downloads, profile.log_level) == (9, "DEBUG")
    switched_off = load_shipped("nas.yaml", CONVERT_HEIC="false", USE_HASH_DEDUPLICATION="false")
    assert (switched_off.transforms, switched_off.dedup) == ((), ())


def test_the_nas_profile_has_its_defaults_without_any_variable(load_shipped) -> None:
    profile = load_shipped("nas.yaml")
    assert (profile.source.options.path, profile.destination.options.path) == ("./takeout", "./backup")
    assert (profile.execution.downloads, profile.log_level, profile.schedule) == (5, "INFO", "0 2 * * *")
    assert profile.transforms[0].options.quality == 95


def test_the_album_profile_takes_any_title(load_shipped) -> None:
    for title in ("Rome 2019", "2019", "id:AF1Qip", "yes"):
        assert load_shipped("album.yaml", ALBUM=title).select.albums == (title,)


def test_the_demo_does_not_depend_on_the_environment() -> None:
    assert REFERENCE.findall((CHECKOUT / "profiles" / "demo.yaml").read_text(encoding="utf-8")) == []


def test_the_example_environment_has_every_variable_with_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(example, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    set_there = dict(environment(Path("p.yaml"), {}))
    used = [found for profile in PROFILES for found in REFERENCE.findall(profile.read_text(encoding="utf-8"))]
    assert used
    for name, default in used:
        assert set_there.get(name, "") == default, name
        assert name in example
