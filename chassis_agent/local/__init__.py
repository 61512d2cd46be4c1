"""What of the network is on this host."""
