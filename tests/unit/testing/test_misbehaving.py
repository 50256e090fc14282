from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from syncengine.api import Asset, ItemError
from syncengine.testing.assets import kind_of, make_asset
from syncengine.testing.transforms import Misbehaving, MisbehavingOptions, Mode


@pytest.fixture
def asset(tmp_path: Path) -> Asset:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"abc")
    return make_asset(path)


_WORKER = """
import resource, sys
from pathlib import Path
from syncengine.testing.assets import make_asset
from syncengine.testing.transforms import Misbehaving, MisbehavingOptions

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
print("working", flush=True)
try:
    Misbehaving(MisbehavingOptions(mode=sys.argv[1])).apply(make_asset(Path(sys.argv[2])), Path(sys.argv[3]))
except MemoryError:
    sys.exit(17)
"""


def _in_a_process(mode: Mode, asset: Asset, workdir: Path, seconds: float) -> int | None:
    """Return the exit code, or ``None`` when it had to be killed."""
    command = [sys.executable, "-c", _WORKER, mode, str(asset.path), str(workdir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"working\n"
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return None


@pytest.mark.parametrize(
    ("mode", "seconds", "wanted"), [("hang", 0.3, None), ("crash", 30, -signal.SIGSEGV), ("eat-memory", 30, 17)]
)
def test_what_only_a_process_border_stops(
    asset: Asset, tmp_path: Path, mode: Mode, seconds: float, wanted: int | None
) -> None:
    assert _in_a_process(mode, asset, tmp_path, seconds) == wanted


def test_eating_memory_ends_where_nobody_stops_it(asset: Asset, tmp_path: Path) -> None:
    options = MisbehavingOptions(mode="eat-memory", most_memory=64 << 20)
    with pytest.raises(RuntimeError, match="nobody stopped it"):
        Misbehaving(options).apply(asset, tmp_path)


def test_raising(asset: Asset, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        Misbehaving(MisbehavingOptions(mode="raise")).apply(asset, tmp_path)
    with pytest.raises(ItemError):
        Misbehaving(MisbehavingOptions(mode="item-error")).apply(asset, tmp_path)


def test_lying_about_the_result(asset: Asset, tmp_path: Path) -> None:
    result = Misbehaving(MisbehavingOptions(mode="wrong-size")).apply(asset, tmp_path)
    assert result.size == result.path.stat().st_size + 1
    result.path.unlink()
    assert not Misbehaving(MisbehavingOptions(mode="no-file")).apply(asset, tmp_path).path.exists()


def test_it_misbehaves_on_the_named_only(asset: Asset, tmp_path: Path) -> None:
    result = Misbehaving(MisbehavingOptions(mode="raise", names="*.heic")).apply(asset, tmp_path)
    assert (result.name, result.path.read_bytes()) == ("a.reversed.jpg", b"cba")


def test_kinds() -> None:
    assert [kind_of(name).value for name in ("a.HEIC", "b.mov", "c.txt")] == ["photo", "video", "other"]
