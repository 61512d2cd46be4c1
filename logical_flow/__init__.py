"""The logical-flow language: fields, expressions, actions, templates, the packet walk."""
