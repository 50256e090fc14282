"""Mapped pages that are given back while something goes through the whole store."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import lmdb
import pytest

from syncengine.state import map_pages
from syncengine.state.environment import Environment, mapped_memory
from syncengine.state.map_pages import give_back

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and madvise")


def fill(environment: Environment, count: int, tag: bytes = b"") -> None:
    def put(txn: lmdb.Transaction) -> None:
        for number in range(count):
            txn.put(b"%08d" % number, tag.ljust(4000), db=environment.tables["items"])

    environment.write(put)


def read_all(environment: Environment) -> int:
    with environment.read() as txn:
        return sum(len(value) for _, value in txn.cursor(environment.tables["items"]))


def test_pages_are_given_back_and_read_again(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    fill(environment, 5000)
    before = mapped_memory()
    assert read_all(environment) == 5000 * 4000
    grown = mapped_memory() - before
    assert give_back(tmp_path / "data.mdb") == 1
    assert mapped_memory() - before < max(grown, 1 << 20)
    assert read_all(environment) == 5000 * 4000
    environment.close()


def test_a_file_that_is_not_mapped_has_no_pages(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert give_back(tmp_path / "file") == 0
    assert give_back(tmp_path / "nowhere") == 0


def test_a_map_that_moves_all_the_time_is_never_mistaken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_pages, "_SECONDS", 0.0001)
    environment = Environment(tmp_path, map_size=1 << 20)
    done = threading.Event()
    failures: list[BaseException] = []

    def keep_memory_busy() -> None:
        try:
            while not done.is_set():
                block = b"\1" * (3 << 20)
                assert block.count(b"\1") == 3 << 20
        except BaseException as error:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(error)

    busy = threading.Thread(target=keep_memory_busy)
    busy.start()
    with environment.sparingly():
        for count in range(100, 2000, 300):
            fill(environment, count, b"%d" % count)
            environment._writer.submit(environment._map_again).result()
            assert read_all(environment) == count * 4000
    done.set()
    busy.join()
    assert not failures
    environment.close()
