"""Updates → branch, commit, title and body; and what the forge still lacks of them."""
