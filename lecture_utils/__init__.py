"""What two notebooks of the course need, after one of them has shown it in full."""
