"""For tests of plugins and of the engine.

=====================  ============================================================================
``contracts``          suites to subclass, one for each kind of plugin; needs pytest
``memory``             a source, a destination and a fingerprint index that live in memory
``faults``             wrappers that raise a given error at the n-th call of a method
``transforms``         a transform that hangs, crashes, eats memory or lies
``assets``             makes an ``Asset`` of a file
``google``             an emulator of Google's sign-in, Drive, Photos Library and Picker
``plugins``            a pluggy plugin that registers the fakes; nothing registers them by itself
=====================  ============================================================================

Nothing but ``contracts`` needs pytest, and nothing is imported from here by default.
"""
