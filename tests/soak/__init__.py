"""A worker group at half load for a long time, with random kills: what it needs, and whether all comes out once."""
