"""What can be asked of one registry: the digest of a tag, a manifest, a blob, the tags.

See OCI distribution-spec, section Pull.
"""

from __future__ import annotations

from typing import Final

from digestbot.image import Digest
from digestbot.registry.authorizer import Answer, Authorizer
from digestbot.registry.errors import RegistryError
from digestbot.registry.manifests import (
    ACCEPT,
    MANIFEST_TYPES,
    Descriptor,
    Manifest,
    read_manifest,
    refuse_schema1,
)
from digestbot.registry.message import MANIFEST_LIMIT, Request, Response
from digestbot.registry.notes import HostNotes
from digestbot.registry.origin import DOCKER_HUB
from digestbot.registry.pace import Deadline
from digestbot.registry.place import Place
from digestbot.registry.refusals import Asked, registry_refusal

_OK, _UNAUTHORIZED = 200, 401
# HEAD has no body: where it is not understood, or says no, a GET tells more.
_HEAD_NOT_UNDERSTOOD: Final = frozenset({400, 405, 501})
_WORTH_EXPLAINING: Final = frozenset({403, 404, 412})


class RegistryClient:
    """One registry; safe to use from many threads."""

    def __init__(self, place: Place, authorizer: Authorizer) -> None:
        self.registry = place.registry
        self.notes = HostNotes()
        self._place = place
        self._authorizer = authorizer
        self._answers_heads = True

    def describe(self, repository: str, reference: str, deadline: Deadline) -> Descriptor:
        """Digest and type of a tag (or digest), with one HEAD wherever that is possible.

        Where HEAD cannot answer, the manifest is fetched and hashed; a registry that does not
        understand HEAD is then not asked with it again.

        Raises:
            RegistryError: There is no answer that can be trusted.
        """
        answer = None
        if self._answers_heads:
            answer = self._ask("HEAD", repository, f"manifests/{reference}", deadline)
            response = answer.response
            found = self._read_head(response)
            if found is not None:
                return found
            if not self._is_get_worthwhile(response):
                raise registry_refusal(response, answer.asked)
        manifest = self.manifest(repository, reference, deadline, again=answer is None)
        if answer is not None and answer.response.status in {_OK, *_HEAD_NOT_UNDERSTOOD}:
            # Not after a 404 or 403, which may be about this one image.
            self._answers_heads = False
        return Descriptor(manifest.digest, manifest.media_type)

    def manifest(
        self, repository: str, reference: str, deadline: Deadline, *, again: bool = True
    ) -> Manifest:
        """The manifest of a tag or digest, checked against every digest that was promised.

        Raises:
            RegistryError: There is none that can be trusted.
        """
        path = f"manifests/{reference}"
        answer = self._ask("GET", repository, path, deadline, again=again)
        body = self._body(answer)
        manifest = read_manifest(body, answer.response.media_type, self.registry)
        for promised in (reference, answer.response.header("docker-content-digest")):
            check_digest(body, promised, self.registry)
        return manifest

    def blob(self, repository: str, blob: Descriptor, deadline: Deadline) -> bytes:
        """The bytes of a blob, such as an image's config, checked against its digest.

        Raises:
            RegistryError: There are none that can be trusted.
        """
        answer = self._ask("GET", repository, f"blobs/{blob.digest}", deadline)
        body = self._body(answer)
        check_digest(body, str(blob.digest), self.registry)
        return body

    def fetch(self, path: str, repository: str, deadline: Deadline) -> Response:
        """The successful answer to a GET of this path and query.

        Raises:
            RegistryError: There is none.
        """
        answer = self._authorizer.ask(self._request("GET", path), repository, deadline)
        self._body(answer)
        return answer.response

    def greet(self, deadline: Deadline) -> tuple[Asked, bool]:
        """As whom the registry knows digestbot, and whether it answers that one.

        Raises:
            RegistryError: It does not answer as a registry, or rejects the login stored for it.
        """
        answer = self._authorizer.ask(self._request("GET", "/v2/"), "", deadline)
        is_open = answer.response.status == _OK and answer.response.media_type != "text/html"
        if not is_open and (answer.asked.login or answer.response.status != _UNAUTHORIZED):
            raise registry_refusal(answer.response, answer.asked)
        return answer.asked, is_open

    def _ask(
        self, method: str, repository: str, path: str, deadline: Deadline, *, again: bool = True
    ) -> Answer:
        request = self._request(method, f"/v2/{repository}/{path}")
        answer = self._authorizer.ask(request, repository, deadline, again=again)
        self.notes.add(answer.response)
        return answer

    def _request(self, method: str, path: str) -> Request:
        url = f"{self._place.origin}{path}"
        headers = {"Accept": ACCEPT} if "/manifests/" in path else {}
        return Request(method, url, self._place.reach, headers, None, MANIFEST_LIMIT, self.registry)

    def _body(self, answer: Answer) -> bytes:
        response = answer.response
        if response.status != _OK or response.media_type == "text/html":
            raise registry_refusal(answer.response, answer.asked)
        return response.body

    def _read_head(self, response: Response) -> Descriptor | None:
        if response.status != _OK:
            return None
        refuse_schema1(response.media_type, self.registry)
        digest = read_digest(response.header("docker-content-digest"))
        if digest is None or response.media_type not in MANIFEST_TYPES:
            return None
        return Descriptor(digest, response.media_type)

    def _is_get_worthwhile(self, response: Response) -> bool:
        if response.status == _OK or response.status in _HEAD_NOT_UNDERSTOOD:
            return True
        # A GET of a manifest counts as a pull on Docker Hub, and its HEAD can be trusted.
        return response.status in _WORTH_EXPLAINING and self.registry != DOCKER_HUB


def read_digest(text: str) -> Digest | None:
    """The digest in a header; None where it has no valid form."""
    try:
        return Digest.parse(text)
    except ValueError:
        return None


def check_digest(body: bytes, promised: str, host: str) -> None:
    """Do nothing, if the bytes have this digest, or the text is no digest at all.

    Raises:
        RegistryError: The bytes have another digest.
    """
    digest = read_digest(promised)
    if digest is None or Digest.of(body, digest.algorithm) == digest:
        return
    actual = Digest.of(body, digest.algorithm)
    message = f"{host} promises {digest.algorithm}:{digest.short}… but sends {actual.short}…"
    hint = "the registry, or something in between, is broken or not to be trusted"
    raise RegistryError(message, code="digest-mismatch", host=host, hint=hint)
