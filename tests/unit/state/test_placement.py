from __future__ import annotations

from pathlib import Path

import pytest

from syncengine.errors import FatalError
from syncengine.state.placement import default_state_directory, file_system, refuse_remote

MOUNTS = r"""
21 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
22 21 0:20 / /proc rw,nosuid shared:2 - proc proc rw
30 21 0:40 / /mnt/nas rw,relatime shared:3 - nfs4 192.168.1.5:/volume1 rw,vers=4.1
31 30 0:41 / /mnt/nas/local rw,relatime - xfs /dev/sdb1 rw
32 21 0:42 / /mnt/share\040name rw,relatime - cifs //nas/photos rw
33 21 0:43 / /mnt/ssh rw - fuse.sshfs me@host: rw
34 21 0:44 / /mnt/c rw - 9p C:\134 rw
35 21 0:45 / /mnt/over rw - ext4 /dev/sdc1 rw
36 21 0:46 / /mnt/over rw - nfs nas:/over rw
malformed line
37 21 0:47 / /mnt/nasty rw - btrfs /dev/sdd1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/.local/state/syncengine", "ext4"),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nas/a/b", "nfs4"),
        ("/mnt/nas/local/a", "xfs"),
        ("/mnt/nasty/a", "btrfs"),
        ("/mnt/share name/a", "cifs"),
        ("/mnt/ssh/a", "fuse.sshfs"),
        ("/mnt/c/Users", "9p"),
        ("/mnt/over/a", "nfs"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "fuse.rclone"])
def test_network_file_systems_are_refused(tmp_path: Path, kind: str) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(f"21 1 259:2 / / rw shared:1 - ext4 /dev/sda1 rw\n30 21 0:40 / {tmp_path} rw - {kind} nas:/ rw\n")
    with pytest.raises(FatalError, match=f"network file system \\({kind}\\)") as caught:
        refuse_remote(tmp_path / "not" / "yet" / "there", table)
    assert "SYNCENGINE_STATE_DIR" in caught.value.advice


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "xfs", "zfs", "tmpfs", "overlay", "fuseblk", "nfsd", "virtiofs"])
def test_local_file_systems_are_allowed(tmp_path: Path, kind: str) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(f"21 1 259:2 / / rw shared:1 - {kind} /dev/sda1 rw\n")
    refuse_remote(tmp_path, table)


def test_a_link_does_not_hide_where_the_state_would_be(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    (tmp_path / "remote").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "remote")
    table.write_text(f"21 1 259:2 / / rw - ext4 /dev/sda1 rw\n30 21 0:40 / {tmp_path}/remote rw - nfs nas:/ rw\n")
    with pytest.raises(FatalError):
        refuse_remote(tmp_path / "link" / "state", table)


def test_a_system_without_a_table_of_mounts_is_allowed(tmp_path: Path) -> None:
    refuse_remote(tmp_path, tmp_path / "absent")


def test_the_environment_names_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "a" / "b"))
    directory = default_state_directory()
    assert directory == tmp_path / "a" / "b"
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_relative_directory_and_a_home_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", "state")
    assert default_state_directory() == tmp_path / "state"
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", "~/state")
    assert default_state_directory() == tmp_path / "home" / "state"


def test_without_the_variable_it_is_the_users_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNCENGINE_STATE_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_state_directory() == tmp_path / "syncengine"


def test_a_file_in_the_way_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "file" / "state"))
    with pytest.raises(FatalError, match="file"):
        default_state_directory()
