"""The metadata file as an XMP sidecar, with the properties that digiKam, darktable, Immich and PhotoPrism read.

Property names and forms: XMP specification part 1 and 2 (Adobe, ISO 16684-1), Exif in XMP (CIPA DC-010),
IPTC Extension schema (``PersonInImage``), digiKam's ``TagsList``.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET  # nosec B405: only writes; nothing from outside is parsed

from syncengine.api import Location
from syncengine.engine.metadata_file import MetadataFile, TakenTime

_NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_FAVORITE_RATING = "5"


def _name(prefix: str, local: str) -> str:
    return f"{{{_NAMESPACES[prefix]}}}{local}"


def encode(document: MetadataFile) -> bytes:
    """Return the sidecar's bytes: an XMP packet without padding, UTF-8; characters that XML forbids are dropped."""
    for prefix, uri in _NAMESPACES.items():
        ET.register_namespace(prefix, uri)
    root = ET.Element(_name("x", "xmpmeta"))
    rdf = ET.SubElement(root, _name("rdf", "RDF"))
    description = ET.SubElement(rdf, _name("rdf", "Description"), {_name("rdf", "about"): ""})
    if document.taken is not None:
        _add_time(description, document.taken)
    place = document.location.source or document.location.exif
    if place is not None:
        _add_place(description, place)
    if document.favorite:
        ET.SubElement(description, _name("xmp", "Rating")).text = _FAVORITE_RATING
    if document.description:
        _add_description(description, document.description)
    _add_list(description, "Iptc4xmpExt", "PersonInImage", "Bag", list(document.people))
    tags = [f"People/{name}" for name in document.people]
    tags += [f"Albums/{album.title}" for album in document.albums if album.title]
    _add_list(description, "digiKam", "TagsList", "Seq", tags)
    _add_list(description, "dc", "subject", "Bag", [tag.partition("/")[2] for tag in tags])
    ET.indent(root)
    packet: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return packet + b"\n"


def _add_time(description: ET.Element, taken: TakenTime) -> None:
    for prefix, local in (("exif", "DateTimeOriginal"), ("photoshop", "DateCreated"), ("xmp", "CreateDate")):
        ET.SubElement(description, _name(prefix, local)).text = taken.local


def _add_place(description: ET.Element, place: Location) -> None:
    ET.SubElement(description, _name("exif", "GPSLatitude")).text = _degrees(place.latitude, "NS")
    ET.SubElement(description, _name("exif", "GPSLongitude")).text = _degrees(place.longitude, "EW")
    if place.altitude is not None:
        below = place.altitude < 0
        ET.SubElement(description, _name("exif", "GPSAltitudeRef")).text = "1" if below else "0"
        ET.SubElement(description, _name("exif", "GPSAltitude")).text = f"{round(abs(place.altitude) * 100)}/100"


def _degrees(value: float, hemispheres: str) -> str:
    """Return an angle as XMP writes it: degrees, decimal minutes, hemisphere (``41,54.14N``)."""
    degrees, fraction = divmod(abs(value), 1)
    return f"{int(degrees)},{fraction * 60:.8f}{hemispheres[value < 0]}"


def _add_description(description: ET.Element, text: str) -> None:
    alternatives = ET.SubElement(ET.SubElement(description, _name("dc", "description")), _name("rdf", "Alt"))
    entry = ET.SubElement(alternatives, _name("rdf", "li"))
    entry.set("{http://www.w3.org/XML/1998/namespace}lang", "x-default")
    entry.text = _xml_text(text)


def _add_list(description: ET.Element, prefix: str, local: str, form: str, values: list[str]) -> None:
    if not values:
        return
    container = ET.SubElement(ET.SubElement(description, _name(prefix, local)), _name("rdf", form))
    for value in dict.fromkeys(values):
        ET.SubElement(container, _name("rdf", "li")).text = _xml_text(value)


def _xml_text(text: str) -> str:
    """Return ``text`` without what XML 1.0 cannot carry (its section 2.2)."""
    return "".join(
        character
        for character in text
        if character in "\t\n\r"
        or " " <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character > "\uffff"
    )
