from __future__ import annotations

import pytest

from digestbot.image import ImageTag
from digestbot.image.tag_order import is_lower


@pytest.mark.parametrize(
    "tag, than, expected",
    [
        pytest.param("3.21", "3.22", True, id="lower"),
        pytest.param("3.22", "3.21", False, id="higher"),
        pytest.param("3.22", "3.22", False, id="the same"),
        pytest.param("3.9", "3.10", True, id="by number and not by letter"),
        pytest.param("3.21", "3.22.1", True, id="less of it"),
        pytest.param("3", "3.22", False, id="which may be that one"),
        pytest.param("v1.2.3-slim", "v1.3.0-slim", True, id="of one kind"),
        pytest.param("1.2.3", "v1.3.0", False, id="written otherwise"),
        pytest.param("3.12-slim", "3.13", False, id="of another kind"),
        pytest.param("bookworm", "trixie", False, id="names"),
        pytest.param("3.22", "20260101", False, id="a release and a date"),
        pytest.param("20250101", "20260101", True, id="dates"),
        pytest.param("9" * 100, "1", False, id="no number of a release"),
    ],
)
def test_a_tag_is_lower_where_its_numbers_tell(tag: str, than: str, *, expected: bool) -> None:
    def image(text: str) -> ImageTag:
        return ImageTag("docker.io", "library/alpine", text)

    assert is_lower(image(tag), image(than)) is expected
