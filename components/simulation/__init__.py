"""Two-person films, stalking and not, rendered from public-domain photographs, with the truth per frame."""
