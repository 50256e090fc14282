"""What a HEIF file holds besides its photo, named for people."""

from __future__ import annotations

import msgspec

from syncengine_plugins.transforms.heif.container import Container, Item

_IMAGES = frozenset({b"hvc1", b"hev1", b"lhv1", b"grid", b"iovl", b"iden", b"tmap", b"av01", b"avc1", b"jpeg", b"unci"})
_XMP = (b"application/rdf+xml", b"")
_ALPHA = ("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", "urn:mpeg:hevc:2015:auxid:1")
_AUXILIARY = {
    "urn:mpeg:mpegB:cicp:systems:auxiliary:depth": "depth map",
    "urn:mpeg:hevc:2015:auxid:2": "depth map",
    "urn:com:apple:photo:2020:aux:hdrgainmap": "HDR gain map",
    "urn:com:photo:aux:hdrgainmap": "HDR gain map",
    "urn:com:samsung:photo:aux:hdrgainmap": "HDR gain map",
    "urn:com:apple:photo:2018:aux:portraiteffectsmatte": "portrait matte",
    "urn:com:apple:photo:2019:aux:semanticskinmatte": "skin matte",
    "urn:com:apple:photo:2019:aux:semantichairmatte": "hair matte",
    "urn:com:apple:photo:2019:aux:semanticteethmatte": "teeth matte",
    "urn:com:apple:photo:2020:aux:semanticglassesmatte": "glasses matte",
    "urn:com:apple:photo:2020:aux:semanticskymatte": "sky matte",
}
# How far into trailing bytes the beginning of a movie is looked for.
_TAIL = 1 << 20


class Contents(msgspec.Struct, frozen=True):
    """What stands beside the photo.

    Args:
        extras: what a plain JPEG cannot carry, one phrase each.
        movie: bytes of the embedded motion video, 0 when there is none.
    """

    extras: tuple[str, ...] = ()
    movie: int = 0


def contents_of(file: bytes, container: Container) -> Contents:
    """Return what the file holds besides the photo, its thumbnails, EXIF, XMP and colour profile.

    Args:
        file: all bytes of the file.
        container: its structure.
    """
    movie, rest = _after_the_photo(file, container)
    extras = [*_auxiliary(container), *_other_images(container), *_other_metadata(container), *rest]
    if movie:
        extras.append(f"motion video ({movie} bytes)")
    return Contents(tuple(extras), movie)


def _auxiliary(container: Container) -> list[str]:
    names: list[str] = []
    for source, targets in container.references.get(b"auxl", ()):
        payload = container.property_of(source, b"auxC") or b""
        urn = payload[4:].partition(b"\0")[0].decode("ascii", "replace")
        if urn in _ALPHA and container.primary in targets:
            continue  # alpha is part of the photo: it is decoded with it, and named there
        name = _AUXILIARY.get(urn) or ("alpha of another image" if urn in _ALPHA else f"auxiliary image {urn[:80]}")
        names.append(name)
    return sorted(set(names))


def _other_images(container: Container) -> list[str]:
    parts = {target for _, targets in container.references.get(b"dimg", ()) for target in targets}
    sides = {source for kind in (b"thmb", b"auxl") for source, _ in container.references.get(kind, ())}
    others = [
        item
        for item in container.items.values()
        if item.kind in _IMAGES and item.id != container.primary and item.id not in parts | sides
    ]
    tone_maps = [item for item in others if item.kind == b"tmap"]
    plain = [item for item in others if item.kind != b"tmap" and not item.hidden]
    found = ["HDR gain map"] if tone_maps and not _has_gain_map(container) else []
    if plain:
        found.append("1 other image" if len(plain) == 1 else f"{len(plain)} other images")
    return found


def _has_gain_map(container: Container) -> bool:
    return "HDR gain map" in _auxiliary(container)


def _other_metadata(container: Container) -> list[str]:
    described = dict(container.references.get(b"cdsc", ()))

    def is_the_photos(item: Item) -> bool:
        targets = described.get(item.id, (container.primary,))
        return container.primary in targets

    found = set()
    for item in container.items.values():
        if item.kind in _IMAGES or item.kind == b"Exif" or not is_the_photos(item):
            continue
        if item.kind != b"mime":
            found.add(f"metadata of type {item.kind.decode('ascii', 'replace').strip()}")
        elif item.content_type.lower() not in _XMP:
            found.add(f"metadata of type {item.content_type.decode('ascii', 'replace')[:80]}")
    return sorted(found)


def _after_the_photo(file: bytes, container: Container) -> tuple[int, list[str]]:
    """Find a motion video: Google's and Samsung's ``mpvd`` box, or a whole movie behind the photo."""
    movie = 0
    extras: list[str] = []
    for box in container.after:
        if box.kind == b"mpvd":
            movie += box.end - box.start
        elif box.kind == b"ftyp":
            return len(file) - (box.start - 8), extras
        elif box.kind in (b"moov", b"moof"):
            extras.append("image sequence")
        elif box.kind != b"uuid" and not movie:
            extras.append(f"data in a box of type {box.kind.decode('ascii', 'replace')} ({box.end - box.start} bytes)")
    left = len(file) - container.tail
    if left and file.find(b"ftyp", container.tail, container.tail + _TAIL) >= 0:
        movie += left
    elif left and file.count(0, container.tail) < left:
        extras.append(f"trailing data ({left} bytes)")
    return movie, extras
