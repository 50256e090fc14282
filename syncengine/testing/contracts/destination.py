"""The suite for destinations."""

from __future__ import annotations

from syncengine.testing.contracts.destination_links import LinkPromises
from syncengine.testing.contracts.destination_looking import LookingPromises
from syncengine.testing.contracts.destination_names import NamePromises
from syncengine.testing.contracts.destination_opening import OpeningPromises
from syncengine.testing.contracts.destination_writing import WritingPromises


class DestinationContract(OpeningPromises, WritingPromises, NamePromises, LookingPromises, LinkPromises):
    """Every promise of ``Destination`` and ``Upload``.

    A subclass overrides ``make``. What is made twice with one ``tmp_path`` must be the same storage.
    """
