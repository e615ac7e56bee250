"""Format and length: texts and values that have to be of a stated form."""
