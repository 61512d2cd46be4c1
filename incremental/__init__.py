"""The incremental engine: derivations over input tables, with recorded reads."""
