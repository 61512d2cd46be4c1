"""The schema's steps, up and down."""
