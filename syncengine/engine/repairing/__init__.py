"""Repairing what a verification found: from copies at the destination, from other destinations, from the source.

Nothing is deleted and nothing overwritten: a damaged file is set aside in the trash, and comes back from there when no
good bytes are to be had. What takes its place is hashed before it is placed, and read back afterwards.

``repairer`` tells the story.
"""
