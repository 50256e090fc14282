"""What a run does about files that an older profile made or laid out: finish, move, or say so."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from syncengine.api import ItemError
from syncengine.engine import metadata_file
from syncengine.engine.account import Account
from syncengine.engine.albums import ALBUM_FILE
from syncengine.engine.amending import amend
from syncengine.engine.changes import ChangesFile
from syncengine.engine.hashing import digest_of
from syncengine.engine.parts import RunParts
from syncengine.engine.rearranging import Rearranged, followers, rearranger_of, shown_as
from syncengine.engine.recipe import Known, Setup, Upkeep
from syncengine.engine.recording import Recorder
from syncengine.engine.relayout import Layouts, Relayout
from syncengine.engine.remaking import Recipes
from syncengine.engine.resuming import resume
from syncengine.engine.stale_links import StaleLinks
from syncengine.engine.trash import Trash
from syncengine.records import ContentRecord, StateBatch

_KEPT = Upkeep()


class KeepingUp:
    """Keeps what is stored up with the profile.

    Args:
        parts: the run.
        account: takes what a person should know.
        recorder: makes it durable.
    """

    def __init__(self, parts: RunParts, account: Account, recorder: Recorder) -> None:
        self._parts = parts
        self._account = account
        self._recorder = recorder
        self._before = parts.upkeep.before(parts.destination.identity)
        self._layouts = Layouts(parts)
        self._left = parts.limit
        self._failures = self._moved = 0

    def begin(self) -> None:
        """Follow what a rebuilding has found, finish what a killed run was moving, move what the person wants moved.

        Raises:
            FatalError: the run cannot go on; the next one goes on from there.
        """
        amend(self._parts, self._recorder)
        self._resume()
        if self._before is None and next(self._layouts.own(), None) is None:
            self._before = Known(
                setup=self._parts.setup
            )  # All that this profile will have here is by what it says now.
        if self._before is not None:
            self._parts.upkeep.remember(self._before.joined_by(self._parts.setup), self._parts.destination.identity)
        if self._parts.upkeep.relayout:
            self._relayout(rebuild=False)

    def end(self) -> None:
        """Move what this run has changed, show albums anew, say what lies by an older profile, and remember."""
        if self._parts.upkeep.relayout:
            self._relayout(rebuild=self._is_all_listed())
            self._show_albums_anew()
            if self._moved:
                self._account.warn([f"{self._moved:,} files were moved to where the layout wants them"])
        if not self._parts.is_ending:
            self._put_strays_away()
            self._look_back()

    def _resume(self) -> None:
        changes = ChangesFile(self._parts.upkeep.changes_file(self._parts.destination.identity))
        if not changes.read():
            return
        with self._parts.exclusive():
            rearranger = rearranger_of(self._parts)
            done = resume(self._parts, changes, rearranger)
            self._record(done)
            rearranger.finish(done)

    def _relayout(self, *, rebuild: bool) -> None:
        relayout = Relayout(self._parts, self._layouts, rezoned=is_rezoned(self._parts.setup, self._before))
        rearranger = rearranger_of(self._parts)
        for page in self._layouts.own():
            if self._parts.is_ending or self._left == 0:
                return
            with self._parts.exclusive():
                changes = relayout.changes(page, rebuild=rebuild, most=self._left)
                if not changes:
                    continue
                done = rearranger.carry_out(changes, {})
                self._record(done)
                rearranger.finish(done)
            moved = sum(_has_moved(one) for one in done)
            self._moved += moved
            self._account.maintained += sum(not one.failure for one in done)
            if self._left is not None:
                self._left = max(0, self._left - len(done))
            self._warn(done)

    def _put_strays_away(self) -> None:
        """Put away what killed runs have placed of contents that are elsewhere by now, as another profile says."""
        if not self._parts.orphans:
            return
        with self._parts.exclusive():
            trash = Trash(self._parts.destination, self._parts.run)
            for (content, digest), path in self._parts.orphans.items():
                (record,) = self._parts.state.contents([content])
                if record is None and self._is_part():
                    self._account.unmended.append(path)  # A run that comes to its item knows it again.
                if record is None or not self._is_stray(record, path, digest):
                    continue
                for stray in (path, metadata_file.metadata_path(path)):
                    with suppress(ItemError, FileNotFoundError):
                        trash.put(stray)
                        self._parts.destination.prune(stray)

    def _is_stray(self, record: ContentRecord, path: str, digest: bytes) -> bool:
        """Whether a file is one of a content that is stored, whole, without it."""
        destination = self._parts.destination
        owner, photo = self._parts.state.path_owners([path, path.removesuffix(metadata_file.SIDECAR)])
        if owner is not None or photo not in (None, record.content) or path == record.sidecar_path:
            return False
        if destination.missing([one for one in (record.path, record.original_path) if one]):
            return False
        try:
            with destination.read(path) as stream:
                return digest_of(stream) == digest
        except (FileNotFoundError, ItemError):
            return False

    def _is_all_listed(self) -> bool:
        """Whether what lacks its metadata files still, lacks them since the source cannot tell of it any more."""
        return self._account.read_to_end and not self._is_part() and not self._account.outcomes["failed"]

    def _is_part(self) -> bool:
        return self._parts.limit is not None or bool(self._parts.select.albums) or self._parts.only is not None

    def _record(self, done: list[Rearranged]) -> None:
        """Let the state follow what was moved."""
        moved = [one for one in done if one.record != one.change.before]
        self._recorder.journal.commit(
            StateBatch(
                contents=[one.record for one in moved],
                items=[item for one in moved for item in followers(self._parts.state, self._parts.profile, one)],
            )
        )
        self._recorder.changed = True
        self._recorder.albums.update(album for one in done for album in one.albums)

    def _warn(self, done: list[Rearranged]) -> None:
        failed = [one for one in done if one.failure]
        self._failures += len(failed)
        self._account.warn(f"{one.record.path} could not be brought up to date: {one.failure}" for one in failed)

    def _show_albums_anew(self) -> None:
        """Take down how albums were shown when that is another way now; what the run writes at its end is anew."""
        style = shown_as(self._before)
        if style == self._parts.albums:
            return
        links = StaleLinks(self._parts, style)
        state, destination = self._parts.state, self._parts.destination
        for album in list(state.albums()):
            if self._parts.is_ending:
                return
            with self._parts.exclusive():
                members = list(state.album_members(album.id))
                if not any(map(self._layouts.is_own, members)):
                    continue
                for member in members:
                    links.take_down(member, member.path, album.id)
                if self._parts.albums == "none":
                    with suppress(ItemError, FileNotFoundError):
                        destination.remove(f"{album.directory}/{ALBUM_FILE}")
                    with suppress(ItemError):
                        destination.prune(f"{album.directory}/{ALBUM_FILE}")
                self._recorder.albums.add(album.id)

    def _look_back(self) -> None:
        """Say what an older profile made or laid out, when the profile has changed; remember what is up to date."""
        now, before = self._parts.setup, self._before
        if before is not None and before.is_by(now):
            return
        found = outdated(self._parts, before)
        self._account.warn(found.sentences())
        if not self._account.read_to_end or self._parts.select.albums:
            return
        told = self._parts.upkeep.relayout and self._parts.limit is None and not self._failures
        laid_out = not found.elsewhere and (told or before is None or before.is_laid_out_by(now))
        setup = now if laid_out or before is None else before.setup
        if before is not None and found.older:
            setup = msgspec.structs.replace(setup, recipe=before.setup.recipe)
        known = Known(setup=setup, several_recipes=bool(found.older), several_layouts=not laid_out)
        self._parts.upkeep.remember(known, self._parts.destination.identity)


class Outdated(msgspec.Struct, frozen=True, kw_only=True):
    """What at the destination is by an older profile.

    Args:
        older: files that the recipe would make otherwise.
        elsewhere: files that the layout wants elsewhere.
        changed: what else of the layout is another one now, such as ``layout.albums``.
    """

    older: int = 0
    elsewhere: int = 0
    changed: tuple[str, ...] = ()

    def sentences(self, upkeep: Upkeep = _KEPT) -> list[str]:
        """Return it for people, with what to do.

        Args:
            upkeep: what a rehearsed run would do about it.
        """
        older, elsewhere = f"{self.older:,} files", f"{self.elsewhere:,} files"
        sentences: list[str] = []
        if self.older and upkeep.remake:
            sentences.append(f"{older} would be made again: they were made by another recipe")
        elif self.older:
            sentences.append(f"{older} were made by another recipe and stay so; run with --remake to make them again")
        if self.elsewhere and upkeep.relayout:
            sentences.append(f"{elsewhere} would be moved: they lie by another layout")
        elif self.elsewhere:
            sentences.append(f"{elsewhere} lie by another layout and stay there; run with --relayout to move them")
        if self.changed:
            what = f"{' and '.join(self.changed)} changed"
            sentences.append(f"{what}; what is there stays as it is; run with --relayout to bring it up to date")
        return sentences


def is_rezoned(now: Setup, before: Known | None) -> bool:
    """Whether some of what is stored may be dated by another time zone than the profile's."""
    return before is None or before.several_layouts or before.setup.zone != now.zone


def outdated(parts: RunParts, before: Known | None) -> Outdated:
    """Return what is by an older profile.

    Args:
        parts: the run.
        before: how everything was made and laid out, or ``None`` when nobody knows; then only what the state itself
            tells counts.
    """
    now, layouts = parts.setup, Layouts(parts)
    recipes = Recipes(parts, look_inside=before is not None)
    older = elsewhere = 0
    changed: list[str] = []
    if before is None or not before.is_made_by(now):
        older = sum(bool(recipes.reason(record)) for page in layouts.own() for record in page)
    if before is None or not before.is_laid_out_by(now):
        elsewhere = sum(1 for _ in layouts.moves())
    if before is not None:
        then = before.setup
        changed += ["layout.albums"] if then.albums != now.albums else []
        changed += ["layout.metadata"] if then.metadata != now.metadata else []
        changed += ["timezone"] if then.zone != now.zone else []
    done = parts.upkeep.relayout and not parts.select.albums
    return Outdated(older=older, elsewhere=elsewhere, changed=() if done else tuple(changed))


def _has_moved(one: Rearranged) -> bool:
    before: ContentRecord = one.change.before
    return (before.path, before.original_path) != (one.record.path, one.record.original_path)
