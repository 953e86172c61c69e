"""What logging costs, and what share of a bare driver's speed the whole stack reaches: `make bench`."""
