"""A client of Treadle's REST API that needs nothing but the standard library."""
