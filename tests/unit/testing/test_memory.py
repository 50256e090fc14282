from __future__ import annotations

import time
from pathlib import Path

import pluggy
import pytest

from syncengine.api import FatalError, ItemError, Registry, RunContext, Selection
from syncengine.api.hooks import PROJECT, Hooks
from syncengine.api.options import options_schema
from syncengine.testing import plugins
from syncengine.testing.contracts.destination_base import everything, started, store
from syncengine.testing.memory import (
    MemoryDestination,
    MemoryDestinationOptions,
    MemoryFingerprints,
    MemoryLibrary,
    MemorySource,
    MemorySourceOptions,
    MemoryStorage,
)
from syncengine.testing.transforms import Misbehaving


def test_what_was_not_flushed_is_lost_with_the_power() -> None:
    storage = MemoryStorage()
    made = MemoryDestination(MemoryDestinationOptions(), storage)
    made.open()
    store(made, "photos/a.jpg")
    made.flush()
    store(made, "photos/b.jpg")
    made.remove("photos/a.jpg")
    storage.power_cut()
    assert set(everything(made)) == {"photos/a.jpg"}
    with pytest.raises(ItemError, match="no directory"):
        store(made, "photos/a.jpg/c.jpg")


def test_a_full_destination_is_fatal_and_holds_what_it_held() -> None:
    made = MemoryDestination(MemoryDestinationOptions(capacity=10))
    made.open()
    store(made, "a.jpg", b"12345678")
    assert made.free_space() == 2
    with pytest.raises(FatalError, match="full"):
        started(made, "b.jpg", b"1234")
    made.link("a.jpg", "c.jpg", kind="hardlink")
    assert made.free_space() == 2
    assert set(everything(made)) == {"a.jpg", "c.jpg"}


def test_a_finished_upload_takes_no_more() -> None:
    made = MemoryDestination(MemoryDestinationOptions())
    upload = started(made, "a.jpg")
    upload.commit()
    with pytest.raises(ItemError, match="finished"):
        upload.write(b"more")
    with pytest.raises(ItemError, match="finished"):
        upload.commit()


def test_a_subclass_shares_one_storage() -> None:
    class Backup(MemoryDestination):
        shared = MemoryStorage()

    first, second = Backup(MemoryDestinationOptions()), Backup(MemoryDestinationOptions())
    first.open()
    store(first, "a.jpg")
    assert set(everything(second)) == {"a.jpg"}
    assert MemoryDestination(MemoryDestinationOptions()).identity != first.identity


def test_a_subclass_shares_one_library(tmp_path: Path) -> None:
    class Phone(MemorySource):
        shared = MemoryLibrary()

    Phone.shared.add_photo("a.jpg", b"a")
    Phone.shared.add_photo("b.mp4", b"b")
    Phone.shared.remove("a.jpg")
    source = Phone(MemorySourceOptions())
    source.open(RunContext(cache=tmp_path, scratch=tmp_path))
    assert [item.name for item in source.scan(Selection())] == ["b.mp4"]


def test_a_library_may_be_incomplete() -> None:
    library = MemoryLibrary()
    library.missing = ("part 2: truncated",)
    inventory = MemorySource(MemorySourceOptions(), library).inventory()
    assert not inventory.complete
    assert inventory.missing == ("part 2: truncated",)


def test_a_million_made_up_items_take_no_memory_at_once() -> None:
    items = MemorySource(MemorySourceOptions(count=1_000_000)).scan(Selection())
    assert next(items).id == "made-up-000000000"


def test_storing_many_files_is_not_quadratic() -> None:
    made = MemoryDestination(MemoryDestinationOptions())
    start = time.process_time()
    for number in range(5000):
        store(made, f"photos/{number % 12}/{number}.jpg")
    assert time.process_time() - start < 2


def test_fingerprints() -> None:
    index = MemoryFingerprints({b"f": b"c"})
    assert (index.get(b"f"), index.get(b"g"), list(index.entries())) == (b"c", None, [(b"f", b"c")])


def test_the_hook_registers_the_fakes() -> None:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    registry = Registry()
    manager.register(plugins)
    manager.hook.syncengine_register.call_historic(kwargs={"registry": registry})
    assert registry.get("source", "memory") is MemorySource
    assert registry.get("destination", "memory") is MemoryDestination
    assert registry.get("transform", "misbehaving") is Misbehaving


@pytest.mark.parametrize("plugin", [MemorySource, MemoryDestination, Misbehaving])
def test_options_have_a_schema(plugin: type[MemorySource]) -> None:
    assert options_schema(plugin.Options)["additionalProperties"] is False
