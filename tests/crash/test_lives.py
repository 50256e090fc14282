"""Runs, changes at the source, crashes and lost state in any order: nothing lost, nothing double, then rest."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from syncengine.api import FatalError, ItemError
from syncengine.engine import planning, retrying
from syncengine.testing.faults import Fault
from tests.crash.lives import NAMES, PROFILES, Life, draw_fault

_IDS = tuple("12345")
_CONTENTS = tuple(b"%s %d" % (kind, number) for kind in (b"heic", b"jpeg") for number in range(4))
_ALBUMS = st.lists(st.sampled_from(("rome", "sea")), unique=True, max_size=2).map(tuple)
_PROFILE = st.sampled_from(PROFILES)


class Lives(RuleBasedStateMachine):
    """Everything that can happen to two libraries with one destination."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="lives-"))
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr(retrying, "_FIRST_WAIT", 0.0001)
        self.life: Life | None = None

    @initialize(keep=st.booleans(), xmp=st.booleans(), batch=st.sampled_from((1, 2, 256)))
    def begin(self, keep: bool, xmp: bool, batch: int) -> None:
        self.patched.setattr(planning, "BATCH_ITEMS", batch)
        self.life = Life(self.directory, keep=keep, metadata=("json", "xmp") if xmp else ("json",))

    @rule(
        profile=_PROFILE,
        id_=st.sampled_from(_IDS),
        name=st.sampled_from(NAMES),
        content=st.sampled_from(_CONTENTS),
        albums=_ALBUMS,
    )
    def add_or_replace(self, profile: str, id_: str, name: str, content: bytes, albums: tuple[str, ...]) -> None:
        self.life.put(profile, id_, name, content, albums=albums)

    @rule(profile=_PROFILE, albums=_ALBUMS, day=st.integers(0, 2), chance=st.randoms(use_true_random=False))
    def change_what_is_known(self, profile: str, albums: tuple[str, ...], day: int, chance: random.Random) -> None:
        library = self.life.backups[profile].library
        if library.items:
            item = chance.choice(sorted(library.items.values(), key=lambda one: one.id))
            self.life.put(profile, item.id, item.name, library.contents[item.id], albums=albums, day=day)

    @rule(profile=_PROFILE, chance=st.randoms(use_true_random=False), to=st.sampled_from(("6", "7")))
    def rename(self, profile: str, chance: random.Random, to: str) -> None:
        library = self.life.backups[profile].library
        if library.items and to not in library.items:
            item = chance.choice(sorted(library.items.values(), key=lambda one: one.id))
            content = library.contents[item.id]
            self.life.take_away(profile, item.id)
            self.life.put(profile, to, f"{to}-{item.name}", content, albums=tuple(album.id for album in item.albums))

    @rule(profile=_PROFILE, chance=st.randoms(use_true_random=False))
    def remove(self, profile: str, chance: random.Random) -> None:
        items = sorted(self.life.backups[profile].library.items)
        if items:
            self.life.take_away(profile, chance.choice(items))

    @rule(profile=_PROFILE)
    def run(self, profile: str) -> None:
        self.life.run(profile)

    @rule(profile=_PROFILE, chance=st.randoms(use_true_random=False), power_cut=st.booleans())
    def crash(self, profile: str, chance: random.Random, power_cut: bool) -> None:
        faults = [None, None, Fault("fetch", ItemError("bad"), at=2), Fault("scan", FatalError("away"), at=2)]
        source = chance.choice(faults)
        self.life.suffer(profile, draw_fault(chance), source, power_cut=power_cut)

    @rule(chance=st.randoms(use_true_random=False))
    def lose_a_file(self, chance: random.Random) -> None:
        self.life.lose_file(chance)

    @rule(name=st.sampled_from(NAMES))
    def somebody_puts_a_file(self, name: str) -> None:
        self.life.plant(f"photos/2019/05/{name}")

    @rule()
    def lose_the_state(self) -> None:
        self.life.lose_state()

    @rule()
    def settle(self) -> None:
        self.life.settle()

    def teardown(self) -> None:
        try:
            if self.life is not None:
                self.life.settle()
        finally:
            self.patched.undo()
            shutil.rmtree(self.directory)


_CALM = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, report_multiple_bugs=False)


def test_it_comes_to_rest_whatever_happens():
    run_state_machine_as_test(Lives, settings=settings(_CALM, max_examples=8, stateful_step_count=12))


@pytest.mark.slow
def test_it_comes_to_rest_whatever_happens_many_times_over():
    run_state_machine_as_test(Lives, settings=settings(_CALM, max_examples=60, stateful_step_count=20))
