"""Answers of a switch to ARP and neighbour solicitation, for the addresses that it knows."""
