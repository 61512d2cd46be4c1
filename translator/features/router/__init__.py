"""What routers take, what they answer for themselves, and what none forwards."""
