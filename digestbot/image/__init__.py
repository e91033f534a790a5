"""Names of images: references, digests, platforms. Pure; imports no other room."""

from digestbot.image.digest import Digest
from digestbot.image.platform import Platform
from digestbot.image.reference import ImageReference, ImageTag, InvalidReferenceError

__all__ = ["Digest", "ImageReference", "ImageTag", "InvalidReferenceError", "Platform"]
