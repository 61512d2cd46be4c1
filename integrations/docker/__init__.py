"""The Docker driver: networks and addresses of containers by libnetwork's remote protocol."""
