"""Plans of an engine's run: made again, many actions, names that JSON finds hard."""

from __future__ import annotations

import io
from contextlib import ExitStack, closing

import msgspec
import pytest

from syncengine.api import Album
from syncengine.engine import runner
from syncengine.engine.saved_plan import comparing
from syncengine.engine.saved_plan.actions import Action
from syncengine.engine.saved_plan.approval import Approval
from syncengine.engine.saved_plan.document import PlanWriter, read_plan
from syncengine.engine.saved_plan.facts import (
    Head,
    PlannedDestination,
    PlannedOptions,
    PlannedProfile,
    PlannedSource,
    Tail,
    Totals,
)
from syncengine.engine.saved_plan.making import Draft
from tests.unit.engine.photos import Stamp, photo

HEAD = Head(
    made="2026-11-22T02:00:00+00:00",
    syncengine="1",
    profile=PlannedProfile(path="/p.yaml", name="p", sha256="0" * 64, settings={}),
    destination=PlannedDestination(plugin="memory", location="", identity="", contents=0, sha256="0" * 64, last_run=""),
    options=PlannedOptions(),
)
TAIL = Tail(
    source=PlannedSource(plugin="m", items=1, sha256="0" * 64, albums="", complete=True, missing=()), totals=Totals()
)


def written(path, *pages):
    with path.open("wb") as stream:
        writer = PlanWriter(stream, HEAD)
        for page in pages:
            writer.add(page)
        digest = writer.finish(TAIL)
    plan = read_plan(path)
    assert plan.digest == digest
    return plan


def store(id_, **facts):
    return Action(**{"action": "store", "id": id_, "name": id_, "reason": "new", **facts})


def decided(backup):
    """Return the actions of a plan."""
    with backup.parts() as parts, ExitStack() as stack, closing(runner.account_of(parts, stack)) as account:
        return [action for actions, _ in Draft(parts, account).decisions() for action in actions]


def test_a_plan_reads_as_it_was_written(tmp_path):
    actions = [store("a"), store("b\n\x00\u2028", size=0), store("c", path="photos/c", to="photos/d")]
    plan = written(tmp_path / "plan.json", actions[:1], [], actions[1:])
    assert list(plan.actions()) == actions
    assert plan.head == HEAD
    assert plan.tail == TAIL
    assert msgspec.json.decode((tmp_path / "plan.json").read_bytes())["actions"][2]["id"] == "c"


def test_a_name_that_is_no_text_is_still_a_plan(tmp_path):
    plan = written(tmp_path / "plan.json", [store("a\udc80"), store("b")])
    assert [action.id for action in plan.actions()] == ["a\\udc80", "b"]


@pytest.mark.parametrize("place", range(0, 1800, 61))
def test_whatever_is_changed_in_a_plan_is_seen(tmp_path, place):
    path = tmp_path / "plan.json"
    written(path, [store("a"), store("b")])
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1
    path.write_bytes(content)
    with pytest.raises(Exception, match=r"is damaged|is no plan|newer syncengine"):
        read_plan(path)


def test_the_same_actions_in_another_order_are_said_to_be_so(tmp_path):
    one = written(tmp_path / "one.json", [store("a"), store("b")])
    other = written(tmp_path / "other.json", [store("b"), store("a")])
    assert comparing.action_changes(one, one, tmp_path) == []
    assert comparing.action_changes(one, other, tmp_path) == ["the actions are the same in another order"]


def test_an_action_that_became_another_one_is_named(tmp_path):
    one = written(tmp_path / "one.json", [store("a"), store("b")])
    other = written(tmp_path / "other.json", [store("a", reason="changed"), store("b", action="remake")])
    assert comparing.action_changes(one, other, tmp_path) == [
        "a is to be stored for another reason (changed)",
        "b is to be remade now (new)",
        "b is not to be stored any more",
    ]


def test_an_approval_holds_little_for_each_action(tmp_path):
    plan = written(tmp_path / "plan.json", [store(f"{number}.jpg") for number in range(2000)])
    approval = Approval(plan, tmp_path)
    assert approval.unmet() == 2000
    assert approval.may_remove("1.jpg") is False
    assert len(approval._works._sorted) == 2000 * 16
    stream = io.BytesIO()
    PlanWriter(stream, HEAD).add([store("x")])
    assert stream.getvalue().endswith(b'x","name":"x","reason":"new"}')


def test_what_is_made_again_is_in_the_plan(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.library.add(photo("gone.jpg"), b"ggg")
    backup.run()
    del backup.library.items["gone.jpg"]
    backup.transforms = (Stamp(),)
    assert decided(backup) == []
    backup.remake = True
    made = decided(backup)
    assert [(action.action, action.id) for action in made] == [("remake", "a.jpg"), ("remake", "gone.jpg")]
    assert made[0].reason.startswith("made by another recipe")


def test_only_what_the_plan_has_made_again_is_made_again(backup, tmp_path):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.library.add(photo("gone.jpg"), b"ggg")
    backup.run()
    del backup.library.items["gone.jpg"]
    backup.transforms = (Stamp(),)
    backup.remake = True
    plan = written(tmp_path / "plan.json", [action for action in decided(backup) if action.id == "a.jpg"])
    before = backup.files()
    with backup.parts() as parts:
        approval = Approval(plan, tmp_path)
        runner.run(msgspec.structs.replace(parts, only=approval, plan="plan"))
    assert approval.unmet() == 0
    after = backup.files()
    assert after["photos/2019/05/gone.jpg"] == before["photos/2019/05/gone.jpg"]
    assert after["photos/2019/05/a.jpg"] != before["photos/2019/05/a.jpg"]


def test_what_is_moved_before_it_is_made_again_is_made_again(backup, tmp_path):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.run()
    backup.transforms = (Stamp(),)
    backup.layout = "photos/{name}"
    backup.remake = backup.relayout = True
    plan = written(tmp_path / "plan.json", decided(backup))
    assert [(action.action, action.path) for action in plan.actions()] == [
        ("remake", "photos/2019/05/a.jpg"),
        ("move", "photos/2019/05/a.jpg"),
    ]
    with backup.parts() as parts:
        approval = Approval(plan, tmp_path)
        report = runner.run(msgspec.structs.replace(parts, only=approval, plan="plan"))
    assert (approval.unmet(), report.outcomes["failed"], report.maintained) == (0, 0, 1)
    assert backup.files() == {"photos/a.jpg": b"stamped aaa"}
    assert decided(backup) == []


def test_an_album_that_says_something_else_is_another_source(backup, tmp_path):
    backup.library.add(photo("a.jpg"), b"aaa")
    tails = []
    for description in ("", "2019"):
        backup.library.albums["r"] = Album(id="r", title="Rome", description=description)
        with backup.parts() as parts, ExitStack() as stack, closing(runner.account_of(parts, stack)) as account:
            draft = Draft(parts, account)
            assert sum(1 for _ in draft.decisions()) == 1
            tails.append(draft.tail().source)
    assert comparing.source_changes(tails[0], tails[0]) == []
    assert comparing.source_changes(tails[0], tails[1]) == [
        "the source has other albums than it had, or says something else of one"
    ]
