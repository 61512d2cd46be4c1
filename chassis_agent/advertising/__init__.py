"""What router ports tell hosts of this chassis without being asked."""
