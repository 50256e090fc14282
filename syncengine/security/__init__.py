"""The credential vault, and keeping secrets out of everything that is written."""
