from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from syncengine.config.timezone import local_zone, zone


def test_a_zone_is_found_by_its_name() -> None:
    assert zone("Europe/Rome").key == "Europe/Rome"
    assert zone("UTC").key == "UTC"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Europe/Room", " (did you mean Europe/Rome?)"),
        ("europe/rome", " (did you mean Europe/Rome?)"),
        ("New York", " (did you mean America/New_York?)"),
        ("nowhere at all", ""),
        ("../../etc/passwd", ""),
        ("/etc/localtime", ""),
        ("Europe", " (did you mean Europe/Rome?)"),
        ("posix/Europe/Rome", " (did you mean Europe/Rome?)"),
        ("a\0b", ""),
    ],
)
def test_what_is_no_zone_is_refused(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match="expected a time zone") as caught:
        zone(name)
    assert caught.value.args[1] == meant


def test_the_machine_s_zone_is_tz_then_the_link_then_the_name_then_utc(tmp_path: Path) -> None:
    data = tmp_path / "zoneinfo" / "Asia"
    data.mkdir(parents=True)
    (data / "Tokyo").write_bytes(b"TZif2")
    link, name, none = tmp_path / "localtime", tmp_path / "timezone", tmp_path / "none"
    link.symlink_to(data / "Tokyo")
    name.write_text("Europe/Rome\n")
    assert local_zone({"TZ": ":America/Lima"}, localtime=link, timezone=name).key == "America/Lima"
    assert local_zone({"TZ": "EST5EDT4,M3.2.0"}, localtime=link, timezone=name).key == "Asia/Tokyo"
    assert local_zone({}, localtime=none, timezone=name).key == "Europe/Rome"
    assert local_zone({}, localtime=name, timezone=none).key == "UTC"
    assert local_zone({}, localtime=none, timezone=none).key == "UTC"


def test_a_copy_of_a_zone_s_rules_is_that_zone(tmp_path: Path) -> None:
    rules = next((Path(root, "Asia/Tokyo") for root in zoneinfo.TZPATH if Path(root, "Asia/Tokyo").is_file()), None)
    if rules is None:
        pytest.skip("this machine keeps no zone files")
    (tmp_path / "localtime").write_bytes(rules.read_bytes())
    found = local_zone({}, localtime=tmp_path / "localtime", timezone=tmp_path / "none")
    assert datetime(2026, 1, 1, tzinfo=found).utcoffset() == timedelta(hours=9)
    assert found.key == "Asia/Tokyo"
