"""A plan that is kept in a file, to be read by people and carried out later, exactly or not at all."""
