"""Two profiles hold a photo that is stored once, and what told of it is lost: no mirror may take it from the other."""

from __future__ import annotations

import pytest

from syncengine.engine.removals import Mirror
from syncengine.errors import FatalError
from syncengine.testing.memory.source import MemoryLibrary
from tests.unit.engine.photos import Stamp, photo
from tests.unit.engine.rebuilding.scenes import Rebuilding

SHARED = "photos/2019/05/north.jpg"
OWN = "photos/2019/05/own.jpg"
CATALOG = "metadata/catalog"
LISTING = "metadata/deduplication.json"
PAPERS = "metadata/photos"


class TwoProfiles(Rebuilding):
    """A destination of two profiles, each with its library; ``north`` stored what both hold."""

    def __init__(self, backup):
        super().__init__(backup)
        backup.mirror = Mirror(budget=None)
        self.libraries = {"north": MemoryLibrary(), "south": MemoryLibrary()}
        self.libraries["north"].add(photo("north.jpg"), b"shared")
        self.libraries["south"].add(photo("south.jpg"), b"shared")
        self.libraries["north"].add(photo("own.jpg"), b"of north alone")
        for profile in self.libraries:
            self.libraries[profile].add(photo(f"{profile} stays.jpg"), f"stays {profile}".encode())

    def lose(self, *below):
        """Lose the state, and some files and directories of the destination."""
        super().lose(*below)
        if LISTING in below:
            self.backup.destination.remove(LISTING)

    def run_as(self, profile, *gone):
        """Run a profile from whose library some items left."""
        self.backup.profile, self.backup.library = profile, self.libraries[profile]
        for item in gone:
            self.backup.library.remove(item)
        return self.run()

    def rebuild_as(self, profile, **facts):
        """Make the state again for a profile."""
        self.backup.profile = profile
        return self.rebuild(**facts)

    def marks(self):
        """Return which contents are marked, by their paths."""
        return {record.path: record.guessed for record in self.remembered()[0]}


@pytest.fixture
def scene(backup):
    made = TwoProfiles(backup)
    assert made.run_as("north").outcomes["stored"] == 3
    assert made.run_as("south").outcomes["duplicate"] == 1
    return made


@pytest.mark.parametrize("lost", [(CATALOG, LISTING), (CATALOG, LISTING, PAPERS), ("metadata", "logs")])
@pytest.mark.parametrize(("profile", "item"), [("south", "south.jpg"), ("north", "north.jpg")])
def test_what_nobody_tells_the_holders_of_is_left_alone(scene, lost, profile, item):
    scene.lose(*lost)
    scene.rebuild_as(profile)
    assert scene.run_as(profile).removed == 0
    report = scene.run_as(profile, item)
    assert report.complete
    assert (report.removed, report.removal_refused) == (0, "")
    assert scene.backup.read(SHARED) == b"shared"
    (warning,) = [text for text in report.warnings if "another profile" in text]
    assert warning.startswith("1 file left the source and stays")
    assert SHARED in warning
    assert "--alone" in warning
    rehearsed = scene.backup.run(rehearse=True)
    assert rehearsed.removed == 0
    assert any("another profile" in text for text in rehearsed.warnings)


def test_a_wrong_guess_of_the_owner_takes_nothing_either(scene):
    scene.lose(CATALOG)
    scene.rebuild_as("south")
    assert scene.run_as("south", "south.jpg").removed == 0
    assert scene.run_as("north", "north.jpg", "own.jpg").removed == 0
    assert {SHARED, OWN} < set(scene.backup.files())


def test_it_stays_left_alone_when_the_state_is_lost_once_more(scene):
    scene.lose(CATALOG, LISTING)
    scene.rebuild_as("north")
    scene.libraries["north"].add(photo("north.jpg", description="a hill", metadata_token="2"), b"shared")
    scene.run_as("north")  # The catalog has a line of it again.
    scene.lose()
    assert scene.rebuild_as("north").from_metadata < 4
    assert scene.run_as("north", "north.jpg").removed == 0
    assert SHARED in scene.backup.files()


def test_what_is_stored_afterwards_is_known_and_goes(scene):
    scene.lose(CATALOG, LISTING)
    scene.rebuild_as("north")
    scene.libraries["north"].add(photo("new.jpg"), b"new")
    scene.run_as("north")
    assert scene.run_as("north", "new.jpg", "own.jpg").removed == 1
    assert OWN in scene.backup.files()


def test_what_a_person_has_removed_is_forgotten(scene):
    scene.lose(CATALOG, LISTING)
    scene.rebuild_as("north")
    scene.run_as("north")
    scene.backup.destination.remove(OWN)
    report = scene.run_as("north", "own.jpg", "north.jpg")
    assert [removal["path"] for removal in report.removals] == [OWN]
    assert OWN.encode() not in scene.backup.read("metadata/checksums.sha256")
    assert SHARED in scene.marks()


def test_another_profile_that_has_told_keeps_it_and_may_let_it_go(scene):
    scene.lose(CATALOG, LISTING)
    scene.rebuild_as("north")
    scene.run_as("north")
    scene.run_as("south")
    report = scene.run_as("north", "north.jpg")
    assert (report.removed, [text for text in report.warnings if "another profile" in text]) == (0, [])
    assert scene.run_as("south", "south.jpg").removed == 0
    assert SHARED in scene.backup.files()


def test_a_find_that_a_transform_made_stays_guessed_when_it_is_taken_over(backup):
    backup.transforms = (Stamp(extension=".png"),)
    scene = TwoProfiles(backup)
    scene.run_as("north")
    scene.run_as("south")
    scene.lose("metadata")
    scene.rebuild_as("north")
    report = scene.run_as("north")
    assert report.bytes_written == 0
    assert set(scene.marks().values()) == {True}
    assert scene.run_as("north", "north.jpg").removed == 0
    assert "photos/2019/05/north.png" in backup.files()


def test_from_a_whole_catalog_nothing_is_guessed(scene):
    scene.lose()
    scene.rebuild_as("south")
    assert set(scene.marks().values()) == {False}
    assert scene.run_as("south", "south.jpg").removed == 0  # The other profile holds it.
    assert scene.run_as("north", "north.jpg", "own.jpg").removed == 2


def damage(scene, profile):
    """Damage the line that says that the shared photo has a copy; return how many lines were damaged."""
    count = 0
    for stat in list(scene.backup.destination.list(CATALOG)):
        lines = scene.backup.read(stat.path).splitlines(keepends=True)
        hit = [n for n, line in enumerate(lines) if b'"copies":[["' + profile.encode() in line]
        for number in hit:
            lines[number] = b"\xff" + lines[number][1:]
        count += len(hit)
        upload = scene.backup.destination.begin(stat.path)
        upload.write(b"".join(lines))
        upload.commit(replace=True)
    return count


def test_a_damaged_line_hides_no_holder_that_the_listing_names(scene):
    assert damage(scene, "south")
    scene.lose()
    assert scene.rebuild_as("north").damaged
    assert set(scene.marks().values()) == {False}
    report = scene.run_as("north", "north.jpg", "own.jpg")
    assert [removal["path"] for removal in report.removals] == [OWN]


@pytest.mark.parametrize("how", ["removed", "cut"])
def test_a_damaged_line_without_a_whole_listing_leaves_all_in_doubt(scene, how):
    assert damage(scene, "south")
    listing = scene.backup.read(LISTING)
    scene.lose(LISTING)
    if how == "cut":
        upload = scene.backup.destination.begin(LISTING)
        upload.write(listing[: listing.index(b'"copies"')])
        upload.commit()
    scene.rebuild_as("north")
    assert set(scene.marks().values()) == {True}
    assert scene.run_as("north", "north.jpg", "own.jpg").removed == 0


@pytest.mark.parametrize("how", ["missing", "cut off at the end of a line"])
def test_a_run_whose_catalog_is_not_whole_leaves_all_in_doubt(scene, how):
    catalogs = [stat.path for stat in scene.backup.destination.list(CATALOG)]
    lines = scene.backup.read(catalogs[1]).splitlines(keepends=True)
    scene.backup.destination.remove(catalogs[1])  # In which the second profile told of its copy.
    if how != "missing":
        upload = scene.backup.destination.begin(catalogs[1])
        upload.write(lines[0])
        upload.commit()
    scene.lose(LISTING)
    done = scene.rebuild_as("north")
    assert any(catalogs[1] in text for text in done.warnings)
    assert scene.run_as("north", "north.jpg").removed == 0
    assert SHARED in scene.backup.files()


def test_a_person_may_say_that_nobody_else_is_there(backup):
    scene = TwoProfiles(backup)
    scene.run_as("north")
    scene.lose(CATALOG, LISTING)
    scene.rebuild_as("north")
    scene.run_as("north")
    assert scene.run_as("north", "own.jpg").removed == 0
    scene.rebuild_as("north", alone=True)
    assert set(scene.marks().values()) == {False}
    assert scene.run_as("north").removed == 1
    assert OWN not in backup.files()


@pytest.mark.parametrize("lost", [(CATALOG, LISTING), (CATALOG, "logs"), ("logs",)])
def test_a_person_is_not_believed_against_what_is_known(scene, lost):
    scene.lose(*lost)
    with pytest.raises(FatalError, match="south"):
        scene.rebuild_as("north", alone=True)
    scene.rebuild_as("north")
    assert scene.run_as("north", "north.jpg").removed == 0
