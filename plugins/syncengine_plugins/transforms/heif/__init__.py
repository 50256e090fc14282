"""Reading HEIF (ISO/IEC 23008-12): what is in a file, whether it is whole, and its photo as upright pixels."""

from syncengine_plugins.transforms.heif.boxes import damaged
from syncengine_plugins.transforms.heif.container import Container, read_container
from syncengine_plugins.transforms.heif.contents import Contents, contents_of
from syncengine_plugins.transforms.heif.exif import orientation, tiff_of
from syncengine_plugins.transforms.heif.kind import is_heif
from syncengine_plugins.transforms.heif.photo import DECODER_ERRORS, MAX_PIXELS, Photo, read_photo, turned

__all__ = [
    "DECODER_ERRORS",
    "MAX_PIXELS",
    "Container",
    "Contents",
    "Photo",
    "contents_of",
    "damaged",
    "is_heif",
    "orientation",
    "read_container",
    "read_photo",
    "tiff_of",
    "turned",
]
