"""Use cases: the actor first, one thing, one transaction."""
