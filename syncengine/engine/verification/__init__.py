"""Reading back what the destination holds, and comparing it with what was recorded of it.

``verifier`` tells the story; ``recorded`` says what ought to be there, ``reading`` reads it, ``progress_file``
remembers how far that came, ``tree``, ``album_check`` and ``documents`` look at all that belongs to it, ``confirming``
makes sure that no run changed a file meanwhile.
"""
