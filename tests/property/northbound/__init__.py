"""Random edits of intent."""
