"""What may be lost: positions, gates and channels in Redis, and the only importer of its client."""
