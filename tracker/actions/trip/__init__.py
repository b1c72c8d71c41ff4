"""A visit under way: steps, legs and their gate, the way of a ping, and who may see what of it."""
