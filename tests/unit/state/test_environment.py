from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from syncengine.errors import FatalError
from syncengine.records import ItemRecord, StateBatch
from syncengine.state import environment as environment_module
from syncengine.state import format as format_module
from syncengine.state.codec import Codec
from syncengine.state.environment import Environment
from syncengine.state.failures import StateDamagedError, translated
from syncengine.state.sharing import acquire, release
from syncengine.state.store import ProfileState, StateStore

SMALL = 1 << 20


def fill(environment: Environment, count: int, size: int = 4000) -> None:
    def put(txn: lmdb.Transaction) -> None:
        for number in range(count):
            txn.put(b"%08d" % number, bytes(size), db=environment.tables["items"])

    environment.write(put)


def read(environment: Environment, key: bytes) -> bytes | None:
    with environment.read() as txn:
        value = txn.get(key, db=environment.tables["items"])
        return None if value is None else bytes(value)


def run_python(code: str, *args: object, **options: object) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", textwrap.dedent(code), *map(str, args)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result_of(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


def test_one_process_shares_one_environment(tmp_path: Path) -> None:
    first = acquire(tmp_path / "s")
    (tmp_path / "link").symlink_to(tmp_path / "s")
    second = acquire(tmp_path / "link")
    assert first is second
    release(first)
    fill(second, 1)
    assert read(second, b"00000000") is not None
    release(second)
    third = acquire(tmp_path / "s")
    assert third is not first
    release(third)


def test_two_directories_are_two_environments(tmp_path: Path) -> None:
    first, second = acquire(tmp_path / "a"), acquire(tmp_path / "b")
    fill(first, 1)
    assert read(second, b"00000000") is None
    release(first)
    release(second)


def test_a_full_map_grows_and_the_batch_is_whole(tmp_path: Path) -> None:
    environment = Environment(tmp_path, map_size=SMALL)
    assert environment.map_size == SMALL
    fill(environment, 1000)
    assert environment.map_size >= 4 * SMALL
    assert environment.write(lambda txn: txn.stat(environment.tables["items"])["entries"]) == 1000
    environment.close()


def test_the_map_grows_while_others_read(tmp_path: Path) -> None:
    environment = Environment(tmp_path, map_size=SMALL)
    fill(environment, 10)
    failures: list[BaseException] = []
    done = threading.Event()

    def keep_reading() -> None:
        try:
            while not done.is_set():
                assert read(environment, b"00000005") == bytes(4000)
        except BaseException as error:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=keep_reading) for _ in range(2)]
    for thread in threads:
        thread.start()
    for count in range(200, 1400, 300):
        fill(environment, count)
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert environment.map_size > SMALL
    environment.close()


def test_the_map_is_not_moved_under_a_reader(tmp_path: Path) -> None:
    environment = Environment(tmp_path, map_size=SMALL)
    fill(environment, 10)
    writing = threading.Thread(target=fill, args=(environment, 500))
    with environment.read() as txn:
        writing.start()
        writing.join(0.3)
        assert writing.is_alive()
        assert environment.map_size == SMALL
        assert txn.get(b"00000009", db=environment.tables["items"]) == bytes(4000)
    writing.join()
    assert read(environment, b"00000499") == bytes(4000)
    environment.close()


def test_a_map_that_another_process_grew_is_taken_over(tmp_path: Path) -> None:
    environment = Environment(tmp_path, map_size=SMALL)
    fill(environment, 10)
    grow = """
        import sys
        from pathlib import Path
        from syncengine.state.environment import Environment
        environment = Environment(Path(sys.argv[1]), map_size=1 << 20)
        def put(txn):
            for number in range(2000):
                txn.put(b"%08d" % number, bytes(4000), db=environment.tables["items"])
        environment.write(put)
        environment.close()
    """
    result_of(run_python(grow, tmp_path))
    assert read(environment, b"00001999") == bytes(4000)
    result_of(run_python(grow.replace("2000", "9000"), tmp_path))
    fill(environment, 1)
    assert read(environment, b"00008999") == bytes(4000)
    environment.close()


def test_a_container_with_little_address_space_gets_a_smaller_map(tmp_path: Path) -> None:
    code = """
        import resource, sys
        from pathlib import Path
        from syncengine.state.environment import Environment
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        environment = Environment(Path(sys.argv[1]))
        print(environment.map_size)
    """
    assert int(result_of(run_python(code, tmp_path))) == 4 << 30


def test_pages_that_were_read_are_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment_module, "_MOST_MAPPED", 4 << 20)
    monkeypatch.setattr(environment_module, "_LOOK_AFTER", 10)
    environment = Environment(tmp_path)
    fill(environment, 8000)
    most = 0
    before = environment_module.mapped_memory()
    for number in range(8000):
        assert read(environment, b"%08d" % number) == bytes(4000)
        if number % 50 == 0:
            environment.write(lambda txn: None)
            most = max(most, environment_module.mapped_memory() - before)
    environment.close()
    assert 0 < most < 16 << 20


def test_a_forked_process_is_refused(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from syncengine.errors import FatalError
        from syncengine.state.store import StateStore
        with StateStore.open(Path(sys.argv[1])) as store:
            state = store.bind("nas", "disk-1")
            child = os.fork()
            if child == 0:
                refused = 0
                for attempt in (lambda: state.items(["a"]), lambda: StateStore.open(Path(sys.argv[1]))):
                    try:
                        attempt()
                    except FatalError:
                        refused += 1
                os._exit(refused)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            print(state.items(["a"]))
    """
    assert result_of(run_python(code, tmp_path)).split() == ["2", "[None]"]


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from syncengine.records import ItemRecord, StateBatch
        from syncengine.state.store import StateStore
        state = StateStore.open(Path(sys.argv[1])).bind("nas", "disk-1")
        for number in range(1_000_000):
            state.commit(StateBatch(items=[(f"{number}-{part}", ItemRecord("t", "m", b"c")) for part in range(50)]))
            print(number, flush=True)
    """
    process = run_python(code, tmp_path)
    assert process.stdout is not None
    for _ in range(20):
        process.stdout.readline()
    process.kill()
    last = int((process.communicate()[0].split() or ["19"])[-1])
    with StateStore.open(tmp_path) as store:
        state = store.bind("nas", "disk-1")
        assert None not in state.items([f"{number}-{part}" for number in range(last + 1) for part in range(50)])
        after = state.items([f"{last + 1}-{part}" for part in range(50)])
        assert after.count(None) in {0, 50}  # a batch is there or it is not


def test_a_failing_disk_stops_the_commit_and_keeps_what_was_there(tmp_path: Path) -> None:
    code = """
        import resource, sys
        from pathlib import Path
        from syncengine.errors import FatalError
        from syncengine.records import ItemRecord, StateBatch
        from syncengine.state.store import StateStore
        with StateStore.open(Path(sys.argv[1])) as store:
            state = store.bind("nas", "disk-1")
            state.commit(StateBatch(items=[("a", ItemRecord("t", "m", b"c"))]))
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))
            try:
                state.commit(StateBatch(items=[(str(n), ItemRecord("t" * 200, "m", b"c")) for n in range(5000)]))
            except FatalError as error:
                print(error.reason)
            print(len([record for record in state.items(["a", "1"]) if record]))
    """
    reason, found = result_of(run_python(code, tmp_path)).splitlines()
    assert str(tmp_path) in reason
    assert found == "1"


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (lmdb.DiskError("put"), "no space left"),
        (lmdb.ReadonlyError("put"), "cannot be written"),
        (PermissionError("no"), "cannot be written"),
        (OSError("broken"), "cannot be used"),
        (lmdb.Error("Input/output error"), "Input/output error"),
        (lmdb.VersionMismatchError("open"), "newer syncengine"),
    ],
)
def test_every_failure_says_what_to_do(raised: Exception, words: str) -> None:
    with pytest.raises(FatalError, match=words) as caught, translated(Path("/state")):
        raise raised
    assert not isinstance(caught.value, StateDamagedError)
    assert caught.value.advice


@pytest.mark.parametrize("raised", [lmdb.CorruptedError("get"), lmdb.PageNotFoundError("get"), lmdb.InvalidError("x")])
def test_damage_names_the_directory_to_move_away(raised: Exception) -> None:
    with pytest.raises(StateDamagedError) as caught, translated(Path("/state/state.lmdb")):
        raise raised
    assert "move /state/state.lmdb away and run again" in caught.value.advice


def test_a_file_in_the_way_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FatalError, match="file"):
        StateStore.open(tmp_path / "file")
    with pytest.raises(FatalError, match="file"):
        StateStore.open(tmp_path / "file" / "below")
    (tmp_path / "state.lmdb").write_text("")
    with pytest.raises(FatalError, match=r"state\.lmdb"):
        StateStore.open(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FatalError, match="cannot be written"):
        StateStore.open(tmp_path)


def test_a_store_is_for_its_user_alone(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "new"):
        for path in (tmp_path / "new", tmp_path / "new" / "state.lmdb", tmp_path / "new" / "state.lmdb" / "data.mdb"):
            assert path.stat().st_mode & 0o077 == 0


def test_a_newer_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "state.lmdb")
    environment.write(lambda txn: txn.put(b"format", Codec(int).encode(99), db=environment.tables["meta"]))
    environment.close()
    for _ in range(2):
        with pytest.raises(FatalError, match="made by a newer syncengine") as caught:
            StateStore.open(tmp_path)
        assert not isinstance(caught.value, StateDamagedError)


def test_an_older_format_is_brought_up_step_by_step(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    steps: list[int] = []

    def step(number: int) -> Callable[[lmdb.Transaction, format_module.Tables], None]:
        return lambda txn, tables: steps.append(number)

    def prepare(*numbers: int) -> None:
        migrations = tuple(step(number) for number in numbers)
        environment.write(lambda txn: format_module.prepare(txn, environment.tables, tmp_path, migrations))

    prepare(2)
    prepare(2, 3)
    prepare(2, 3)
    assert steps == [2, 3]
    with pytest.raises(FatalError, match="newer"):
        prepare(2)
    environment.close()


def test_a_failed_open_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "state.lmdb").mkdir()
    (tmp_path / "state.lmdb" / "data.mdb").write_bytes(b"not a database" * 1000)
    for _ in range(2):
        with pytest.raises(StateDamagedError):
            StateStore.open(tmp_path)
    (tmp_path / "state.lmdb").rename(tmp_path / "moved away")
    with StateStore.open(tmp_path) as store:
        bound: ProfileState = store.bind("nas", "disk-1")
        bound.commit(StateBatch(items=[("a", ItemRecord("t", "m", b"c"))]))
        assert bound.items(["a"]) == [ItemRecord("t", "m", b"c")]
