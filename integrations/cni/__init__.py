"""The CNI plugin: networks of containers from Treadle's logical switches."""
