"""What the agent learns from packets, and tells the server."""
