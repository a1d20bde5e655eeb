"""The watch room: what was saved is made again at once as a draft, and a page shows it."""
