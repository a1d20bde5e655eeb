"""The review room: a local page to look at clips and decide on them, and the same page as static files."""
