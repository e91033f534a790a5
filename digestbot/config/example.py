"""The text that `digestbot config init` writes: short, and right as it stands."""

from __future__ import annotations

from digestbot.config.schema import SCHEMA_URL

_TEXT = """\
# yaml-language-server: $schema={schema}
#
# What digestbot scans, what it asks, what fails a run, and what it proposes. Every key is optional.
# Each line that is commented out shows one that you may want.

# Paths that are not scanned, relative to the scanned folder.
exclude:
  - vendor/**

# Give a first digest to references that have none.
pin: false

# Findings that make the run exit with code 1: stale, unpinned, held, skipped. [] is none.
fail_on: [stale]

# Images to leave alone: by full name, on some paths or everywhere, for a while or for ever.
# ignore:
#   - image: docker.io/library/debian:11*
#     path: legacy/**
#     reason: goes away with the old build
#     until: 2027-06-30

# Registries that need a login, a certificate of your own, or are on a private network
# (which none may be that is not named here, or that docker is not logged in to). A file that
# speaks of registries must be named: --config digestbot.yaml, or DIGESTBOT_CONFIG.
# Logins of docker and podman are found without any of this. No password is written here.
# registries:
#   harbor.example.com:
#     username: robot$digestbot
#     password_env: HARBOR_PASSWORD
#     ca_file: certs/ca.pem

# Who is really asked: pinned names that begin with the left are looked up on the right.
# mirrors:
#   harbor.example.com/hub/: docker.io/

# What `digestbot update` proposes: one pull request for each repo, or for each of these groups.
# groups:
#   base: [docker.io/library/debian, docker.io/library/alpine]
# labels:
#   - dependencies
# reviewers:
#   - ann

# When new pull requests may be opened; what is open is kept up to date at any time.
# schedule:
#   cron: ["* 6-18 * * mon-fri"]
#   timezone: Europe/Berlin

# For `digestbot run` and `digestbot serve`: whose repos, and where to keep what was seen of them.
# Both take a file for this only if it is named: --config digestbot.yaml, or DIGESTBOT_CONFIG.
# targets: [github:acme]
# state:
#   folder: state

# Who looks at the dashboard of `digestbot serve`, and who may act there. Without users it is for
# this machine alone, to look: http://localhost:8080. A token: openssl rand -hex 32
# dashboard:
#   users:
#     - {{name: ann, role: operator, token_env: ANN_TOKEN}}
#     - {{name: bob, token_file: bob.token}}
"""


def example_text(schema: str = SCHEMA_URL) -> str:
    """A first configuration; `schema` is where editors find the JSON Schema (URL or path)."""
    return _TEXT.format(schema=schema)
