"""The way of a photo, from the source's listing to a durable record, on one screen."""

from __future__ import annotations

from syncengine.engine.account import Account
from syncengine.engine.background import InBackground
from syncengine.engine.fetching import Fetcher
from syncengine.engine.matching import Claims, Matcher
from syncengine.engine.parts import RunParts
from syncengine.engine.placing import Placer
from syncengine.engine.planning import plan
from syncengine.engine.recording import Recorder
from syncengine.engine.transforming import Transforming


def process(parts: RunParts, account: Account, recorder: Recorder) -> None:
    """Bring everything that the source lists, and that is not there yet, to the destination.

    Work moves in batches through three threads: one plans and fetches, one matches and hands image work to the
    worker processes, and this one places and records. Each runs at most one batch ahead of the next, so neither
    memory nor staging grows with the library.

    Args:
        parts: the run.
        account: takes every item's outcome.
        recorder: makes it durable.

    Raises:
        FatalError: the run cannot go on; what was recorded before is whole.
    """
    claims = Claims()
    matcher = Matcher(parts, claims)
    transforming = Transforming(parts)
    placer = Placer(parts)

    planned = plan(parts, account)
    fetched = InBackground(Fetcher(parts, account).fetch(planned), ahead=1, name="fetch")
    matched = matcher.match_exact(fetched)
    started = InBackground(transforming.start(matched), ahead=1, name="match")
    finished = matcher.match_perceptual(transforming.finish(started))

    try:
        for batch in finished:
            with parts.exclusive():
                recorder.record(placer.place(batch))
                placer.finish()
            for work in batch:
                claims.release(work)
    except BaseException:
        parts.failed.set()
        raise
    finally:
        started.close()
        fetched.close()
