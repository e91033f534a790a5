"""Every reason a finding can have: a stable slug, and what it means."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    # current
    "up-to-date": "The tag still has the pinned digest.",
    # stale
    "digest-moved": "The tag has another digest now.",
    "other-tag": "A rollout moves it to another tag.",
    "not-newest": "The newest digest of the tag is held back; an older one is proposed, or "
    "pinned already.",
    # stale, held or skipped
    "denied-pinned": "The pinned digest is on the deny list. Where nothing is old enough to take "
    "its place, `min_age` is waived.",
    # held
    "settling": "The tag has not had its digest for as long as `settle` says.",
    "flapping": "The tag went back to a digest that it had before, or changes all the time.",
    "too-new": "The digest was first seen less than `min_age` ago.",
    "deny-listed": "The digest that the tag has now is on the deny list.",
    "older": "The tag was set back to a digest that is older than the pinned one.",
    "platform-lost": "The new index lacks a platform that the pinned one has.",
    "single-now": "The pinned image is an index, the new one is a single image.",
    "same-images": "The images in the new index are the pinned ones: nothing that runs changed.",
    "rollout": "A rollout brings this image to the repo, or was rolled back; it says which digest.",
    # unpinned
    "no-digest": "The reference names no digest; `--pin` adds one.",
    # skipped: the reference
    "ignored": "A comment or the configuration says to leave it alone.",
    "no-tag": "A digest without a tag cannot be followed; `# digestbot: tag=…` says which tag.",
    "offline": "Nobody was asked (`--offline`).",
    "invalid-reference": "The text is not an image reference.",
    "image-id": "`FROM sha256:<hex>` names a local image id, not a digest in a registry.",
    "build-arg": "The reference needs a build argument that has no default.",
    "platform-arg": "The reference depends on the platform that is built for.",
    "variable-in-from": "BuildKit expands no variable here.",
    "other-algorithm": "The pin uses another digest algorithm than the registry answers.",
    "bad-expansion": "BuildKit would refuse the `${…}` that stands there.",
    "bad-trigger": "BuildKit would refuse the instruction behind ONBUILD.",
    "too-complex": "The `${…}` of the file go deeper, or grow larger, than digestbot follows.",
    "unknown-origin": "A rollout is rolled back, and which tag the pin had before cannot be told.",
    "bad-comment": "The `# digestbot:` comment cannot be read.",
    "too-many-images": "A remote repo has more different images than are asked about.",
    "too-many-registries": "A remote repo names more registries than are asked.",
    # skipped: the file
    "too-many-references": "The files of a remote repo have more references than are followed.",
    "invalid-dockerfile": "BuildKit would reject the file.",
    "foreign-frontend": "Another frontend than Docker's reads the file, in a language of its own.",
    "template": "The file is a template, not a Dockerfile.",
    "encoding": "The file is not in an encoding that BuildKit reads.",
    "too-large": "The file has more than 1 MiB.",
    "symlink": "The link leads out of the scanned tree, or the file is a link in a remote repo.",
    "submodule": "The path is another repo.",
    "lfs-pointer": "The repo holds a pointer of Git LFS in place of the file.",
    "unsafe-path": "The path has control characters, or parts that no checkout has.",
    "not-a-file": "The path is a device, a pipe or a folder.",
    # failed, whoever was asked
    "internal": "A fault of digestbot itself; the other images are not affected.",
    # failed: the file
    "unreadable": "The file could not be read.",
    # stale or unpinned, and not edited
    "split-digest": "The digest is spread over several places in the file.",
    "no-place": "The text that would change does not stand in the file.",
    "conditional": "What stands there depends on a variable that may be set.",
    "tag-elsewhere": "The tag that a rollout would replace does not stand right before the "
    "digest, or stands in a comment, too.",
    "not-whole": "Another place, which a rollout would move to the same tag, cannot be edited.",
    "shared-span": "The same text feeds references that need different digests.",
    "not-reproducible": "Reading the edited copy again did not give what was intended.",
    "file-changed": "The file changed while digestbot was at work.",
    "overlap": "Two edits meet in the same place.",
}
