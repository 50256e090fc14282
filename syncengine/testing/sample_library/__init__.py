"""A sample Takeout library, and the builder that end-to-end tests make their own with.

``make_sample_library(directory)`` writes two archives with one of everything that makes real libraries difficult, and
``TakeoutBuilder`` writes whatever a test needs. Image libraries are loaded when a picture is drawn, not before.
"""

from syncengine.testing.sample_library.library import SampleLibrary, make_sample_library
from syncengine.testing.sample_library.takeout import (
    Member,
    SidecarFacts,
    TakeoutBuilder,
    media_name,
    sidecar,
    sidecar_name,
    small_jpeg,
)

__all__ = [
    "Member",
    "SampleLibrary",
    "SidecarFacts",
    "TakeoutBuilder",
    "make_sample_library",
    "media_name",
    "sidecar",
    "sidecar_name",
    "small_jpeg",
]
