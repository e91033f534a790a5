"""GitHub, spoken through PyGithub: the only package that imports it."""
