"""Capture time, caption, place, people and rating from an XMP packet or an ``.xmp`` sidecar (ISO 16684-1)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from syncengine.api import CaptureTime, Location
from syncengine_plugins.media import moments
from syncengine_plugins.media.exif import DAMAGE, camera_name, place

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # nosec B405: only the name of a type

#: The largest packet or sidecar that is read, in bytes.
LARGEST = 1 << 20

_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_IPTC_EXT = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_REGIONS = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# The best date first.
_DATES = (_EXIF + "DateTimeOriginal", _PHOTOSHOP + "DateCreated", _EXIF + "DateTimeDigitized", _XMP + "CreateDate")
_COORDINATE = re.compile(r"(\d{1,3})(?:,(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?|(\.\d+))?\s*([NSEW])?", re.I)
_FORBIDDEN = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.I)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")


class XmpFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an XMP packet says.

    Args:
        taken: exif:DateTimeOriginal, else photoshop:DateCreated, else xmp:CreateDate.
        location: exif:GPSLatitude and exif:GPSLongitude.
        description: dc:description, in the default language.
        people: PersonInImage and the named faces, without repetition.
        rating: -1 (rejected) to 5, or ``None``.
        favorite: marked by name (``favorite`` of any namespace), or five stars.
        camera: tiff:Make and tiff:Model.
        orientation: tiff:Orientation, 1 to 8, or ``None``.
        notes: what could not be read.
    """

    taken: CaptureTime | None = None
    location: Location | None = None
    description: str = ""
    people: tuple[str, ...] = ()
    rating: int | None = None
    favorite: bool = False
    camera: str = ""
    orientation: int | None = None
    notes: tuple[str, ...] = ()


def read_xmp(packet: bytes) -> XmpFacts:
    """Read an XMP packet or the content of an ``.xmp`` file; never raises.

    Args:
        packet: UTF-8, UTF-16 or UTF-32. Over 1 MiB, or with a document type or entities, it is refused with a note.
    """
    if len(packet) > LARGEST:
        return XmpFacts(notes=("XMP is not read: over 1 MiB",))
    text = _decode(packet)
    if _FORBIDDEN.search(text):
        return XmpFacts(notes=("XMP is not read: it declares a document type or entities",))
    # Loaded with the first packet: most libraries never need it.
    from xml.etree import ElementTree  # nosec B405: document types and entities were refused above

    try:
        root = ElementTree.fromstring(_DECLARATION.sub("", text).strip("\0 \t\r\n\ufeff"))  # nosec B314: as above
        return _facts(_properties(root))
    except (ElementTree.ParseError, RecursionError, *DAMAGE) as error:
        return XmpFacts(notes=(f"XMP cannot be read: {type(error).__name__}",))


def _decode(packet: bytes) -> str:
    """Decode by byte order mark or by where the zero bytes of ``<?`` stand; the declaration is not trusted."""
    head = packet[:4]
    if head in (b"\xff\xfe\0\0", b"<\0\0\0"):
        encoding = "utf-32-le"
    elif head in (b"\0\0\xfe\xff", b"\0\0\0<"):
        encoding = "utf-32-be"
    elif head[:2] == b"\xff\xfe" or head[:2] == b"<\0":
        encoding = "utf-16-le"
    elif head[:2] == b"\xfe\xff" or head[:2] == b"\0<":
        encoding = "utf-16-be"
    else:
        encoding = "utf-8"
    return packet.decode(encoding, "replace")


def _properties(root: Element) -> dict[str, str | list[Element]]:
    """Collect the properties of every ``rdf:Description`` at the top: as attributes or as elements."""
    found: dict[str, str | list[Element]] = {}
    for rdf in root.iter(_RDF + "RDF"):
        for description in rdf:
            if description.tag != _RDF + "Description":
                continue
            for name, value in description.attrib.items():
                found.setdefault(name, value)
            for child in description:
                values = list(child.iter())
                found.setdefault(child.tag, values if len(values) > 1 or child.attrib else (child.text or ""))
    return found


def _facts(found: dict[str, str | list[Element]]) -> XmpFacts:
    rating = _integer(_text(found, _XMP + "Rating"), -1, 5)
    return XmpFacts(
        taken=_taken(found),
        location=_location(found),
        description=_text(found, _DC + "description").strip(),
        people=_people(found),
        rating=rating,
        favorite=rating == 5 or any(_is_favorite(name, value) for name, value in found.items()),
        camera=camera_name(_text(found, _TIFF + "Make"), _text(found, _TIFF + "Model")),
        orientation=_integer(_text(found, _TIFF + "Orientation"), 1, 8),
    )


def _text(found: dict[str, str | list[Element]], name: str) -> str:
    """Return a property as text: the default language of alternatives, else the first text there is."""
    value = found.get(name, "")
    if isinstance(value, str):
        return value
    items = [element for element in value if element.tag == _RDF + "li"] or value
    chosen = next((element for element in items if element.get(_LANG) == "x-default"), items[0])
    return chosen.text or ""


def _texts(found: dict[str, str | list[Element]], name: str) -> Iterator[str]:
    value = found.get(name, [])
    for element in value if not isinstance(value, str) else ():
        if element.tag == _RDF + "li" and element.text:
            yield element.text.strip()


def _taken(found: dict[str, str | list[Element]]) -> CaptureTime | None:
    for name in _DATES:
        parsed = moments.parse_wall(_text(found, name))
        if parsed is not None:
            return moments.at_wall(*parsed, "xmp")
    return None


def _location(found: dict[str, str | list[Element]]) -> Location | None:
    latitude = _coordinate(_text(found, _EXIF + "GPSLatitude"))
    longitude = _coordinate(_text(found, _EXIF + "GPSLongitude"))
    if latitude is None or longitude is None:
        return None
    altitude = _ratio(_text(found, _EXIF + "GPSAltitude"))
    if altitude is not None and _text(found, _EXIF + "GPSAltitudeRef").strip() == "1":
        altitude = -altitude
    return place(latitude, longitude, altitude)


def _coordinate(written: str) -> float | None:
    """Read ``44,51.0287N``, ``44,51,1.72N`` or plain degrees such as ``44.85`` and ``-122.4``."""
    sign = -1.0 if written.strip().startswith("-") else 1.0
    found = _COORDINATE.fullmatch(written.strip().lstrip("+-"))
    if found is None:
        return None
    degrees = float(found[1] + (found[4] or "")) + float(found[2] or 0) / 60 + float(found[3] or 0) / 3600
    return -degrees if (found[5] or "").upper() in ("S", "W") else sign * degrees


def _ratio(written: str) -> float | None:
    above, _, below = written.strip().partition("/")
    try:
        value = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) else None


def _people(found: dict[str, str | list[Element]]) -> tuple[str, ...]:
    names = [*_texts(found, _IPTC_EXT + "PersonInImage"), *_faces(found.get(_REGIONS + "Regions", []))]
    return tuple(dict.fromkeys(name for name in names if name))


def _faces(regions: str | Iterable[Element]) -> Iterator[str]:
    """Yield the names of the face regions, whose properties are attributes or elements."""
    for element in regions if not isinstance(regions, str) else ():
        kind = element.get(_REGIONS + "Type") or element.findtext(_REGIONS + "Type") or ""
        if kind.strip() == "Face":
            yield (element.get(_REGIONS + "Name") or element.findtext(_REGIONS + "Name") or "").strip()


def _is_favorite(name: str, value: str | list[Element]) -> bool:
    return name.rpartition("}")[2].lower() == "favorite" and value in ("1", "True", "true")


def _integer(written: str, least: int, most: int) -> int | None:
    ratio = _ratio(written)
    return int(ratio) if ratio is not None and least <= ratio <= most else None
