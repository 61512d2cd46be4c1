"""What runs beside Treadle: on container hosts, and in clusters.

Each integration talks to the server by the REST API alone, so that it may be of another release,
and imports nothing of Treadle's other packages.
"""
