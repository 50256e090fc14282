"""What syncengine remembers between runs: an LMDB store, where it may live, and the lock of a profile.

The state is a cache of the truth at the destination. Losing it costs time, never photos.
"""
