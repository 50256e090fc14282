"""What a file is: by its first bytes, and by its name."""

from __future__ import annotations

from syncengine.api import Kind

#: How many leading bytes ``sniff`` looks at.
SNIFF_SIZE = 64

_PHOTO_EXTENSIONS = """
jpg jpeg jpe jfif mpo heic heics heif heifs hif avif avifs png apng gif webp bmp dib tif tiff jxl jp2 j2k jpf jpx psd
insp 3fr ari arw bay cap cr2 cr3 crw dcr dcs dng drf eip erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf ori pef ptx
pxn r3d raf raw rw2 rwl rwz sr2 srf srw x3f
"""
_VIDEO_EXTENSIONS = """
mp4 m4v mov qt mp mv 3gp 3gpp 3g2 mkv webm avi divx mpg mpeg mpe m1v m2v vob mts m2ts m2t ts tod mod mxf wmv asf flv f4v
ogv dv insv 360
"""

#: Kind by lower-case extension without the dot.
KIND_BY_EXTENSION: dict[str, Kind] = {
    **dict.fromkeys(_PHOTO_EXTENSIONS.split(), Kind.PHOTO),
    **dict.fromkeys(_VIDEO_EXTENSIONS.split(), Kind.VIDEO),
}

# RAW formats that are TIFF inside, so that only the name tells them apart.
_TIFF_RAW = {
    "3fr": "image/x-hasselblad-3fr",
    "arw": "image/x-sony-arw",
    "cr2": "image/x-canon-cr2",
    "dcr": "image/x-kodak-dcr",
    "dng": "image/x-adobe-dng",
    "erf": "image/x-epson-erf",
    "fff": "image/x-hasselblad-fff",
    "gpr": "image/x-gopro-gpr",
    "iiq": "image/x-phaseone-iiq",
    "kdc": "image/x-kodak-kdc",
    "mef": "image/x-mamiya-mef",
    "mos": "image/x-leaf-mos",
    "nef": "image/x-nikon-nef",
    "nrw": "image/x-nikon-nrw",
    "pef": "image/x-pentax-pef",
    "rwl": "image/x-leica-rwl",
    "sr2": "image/x-sony-sr2",
    "srf": "image/x-sony-srf",
    "srw": "image/x-samsung-srw",
}

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x1aE\xdf\xa3", "video/x-matroska"),
    (b"IIRO", "image/x-olympus-orf"),
    (b"IIRS", "image/x-olympus-orf"),
    (b"MMOR", "image/x-olympus-orf"),
    (b"IIU\0", "image/x-panasonic-rw2"),
    (b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (b"FOVb", "image/x-sigma-x3f"),
    (b"\0MRM", "image/x-minolta-mrw"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\xff\x0a", "image/jxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\0\0\x01\xb3", "video/mpeg"),
    (b"0&\xb2u\x8ef\xcf\x11", "video/x-ms-asf"),
    (b"FLV\x01", "video/x-flv"),
    (b"OggS", "video/ogg"),
    (b"\x06\x0e+4\x02\x05\x01\x01", "application/mxf"),
)
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_STRUCTURAL_BRANDS = frozenset({b"mif1", b"mif2", b"msf1", b"miaf", b"MiHE", b"MiHB", b"MiPr"})
_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_VIDEO_APPLICATIONS = frozenset({"application/mxf"})


def sniff(head: bytes, name: str = "") -> str:
    """Return the media type that the first bytes of a file speak of.

    Args:
        head: the first bytes of the file; ``SNIFF_SIZE`` are enough.
        name: the file's name; it only tells apart the RAW formats that are TIFF inside.

    Returns:
        A media type such as ``image/heic``, or ``""`` when the bytes are not those of a known format.
    """
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return _matroska(head) if media_type == "video/x-matroska" else media_type
    if head[:4] in _TIFF_MAGIC:
        return "image/x-canon-cr2" if head[8:10] == b"CR" else _TIFF_RAW.get(extension(name), "image/tiff")
    return _by_structure(head)


def extension(name: str) -> str:
    """Return the lower-case extension without the dot; ``MP`` for ``PXL_1.MP~2``, ``""`` when there is none."""
    return name.rpartition(".")[2].lower().partition("~")[0] if "." in name else ""


def kind_of(name: str, media_type: str = "") -> Kind:
    """Return what a file is to a photo library.

    Args:
        name: file name; its extension decides when the media type does not.
        media_type: as ``sniff`` returned it; empty when nobody has looked.

    Returns:
        ``Kind.OTHER`` for what is neither photo nor video.
    """
    if media_type.startswith("image/"):
        return Kind.PHOTO
    if media_type.startswith("video/") or media_type in _VIDEO_APPLICATIONS:
        return Kind.VIDEO
    return KIND_BY_EXTENSION.get(extension(name), Kind.OTHER)


def _by_brand(head: bytes) -> str:
    """Tell the ISO base media formats apart by major and compatible brands (ISO/IEC 14496-12 and 23008-12)."""
    major = head[8:12]
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {major, *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if major in _HEIC_BRANDS or major in _AVIF_BRANDS or major in _STRUCTURAL_BRANDS:
        # A general brand comes first in many files; the compatible ones then name the codec.
        coded = {major} if major not in _STRUCTURAL_BRANDS else brands
        if coded & _HEIC_BRANDS:
            return "image/heic"
        return "image/avif" if coded & _AVIF_BRANDS else "image/heif"
    exact = {b"crx ": "image/x-canon-cr3", b"qt  ": "video/quicktime", b"M4V ": "video/x-m4v", b"jxl ": "image/jxl"}
    if major in exact:
        return exact[major]
    if major in (b"M4A ", b"M4B ", b"M4P "):
        return "audio/mp4"
    return "video/3gpp" if major[:3] in (b"3gp", b"3g2", b"3ge", b"3gs") else "video/mp4"


def _matroska(head: bytes) -> str:
    return "video/webm" if b"webm" in head[:SNIFF_SIZE] else "video/x-matroska"


def _is_transport_stream(head: bytes) -> bool:
    """MPEG-TS has a sync byte and a known first packet id; AVCHD puts a 4-byte time code before each packet."""
    return head[:4] == b"G@\0\x10" or head[:3] in (b"G@\0", b"G@\x11") or head[4:7] in (b"G@\0", b"G@\x11")


def _by_structure(head: bytes) -> str:
    """Recognise the formats whose mark is not in the very first bytes."""
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}.get(head[8:12], "")
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if head[4:8] in _OLD_QUICKTIME:
        return "video/quicktime"
    return "video/mp2t" if _is_transport_stream(head) else ""
