"""syncengine backs up a photo library to storage its owner controls and accounts for every item."""

__version__ = "0.1.0"
