"""Translation of addresses where routers meet the outside: sources, destinations, floating IPs."""
