"""What `beside_peers.py` is made of: the rows, the counter, and one module for each of the systems that it runs."""
