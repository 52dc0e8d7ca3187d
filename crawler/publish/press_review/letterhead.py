"""The name and the logo of the organisation at the top of a press review."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from crawler.config import Config
from crawler.errors import ConfigError

MAX_LOGO_BYTES = 2_000_000
"""An HTML review contains the logo, and may be sent by mail."""
LOGO_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
LOGO_HEIGHT, LOGO_WIDTH = 14, 60
"""The largest size in millimetres. A logo keeps its proportions."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture, PNG or JPEG."""

    path: Path
    data: bytes
    media_type: str

    @property
    def data_url(self) -> str:
        """The picture as an address that contains it."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What is at the top of a review. Both may be missing."""

    organisation: str | None = None
    logo: Logo | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.organisation and self.logo is None


def load_letterhead(config: Config) -> Letterhead:
    """Return the letterhead of the configuration. Raise ConfigError for a logo that cannot be read."""
    path = config.review.logo
    return Letterhead(config.review.organisation, None if path is None else _load_logo(path))


def measure_logo(logo: Logo) -> tuple[float, float]:
    """Return width and height in millimetres. Raise ConfigError for a broken picture. Needs the extra `review`."""
    from PIL import Image

    try:
        with Image.open(BytesIO(logo.data)) as picture:
            picture.load()  # a picture that is cut off can be opened
            width, height = picture.size
    except Exception as error:  # Pillow raises errors of many kinds
        raise _make_logo_error(logo.path) from error
    scale = min(LOGO_HEIGHT / height, LOGO_WIDTH / width)
    return width * scale, height * scale


def _make_logo_error(path: Path) -> ConfigError:
    return ConfigError(f"review.logo: {path} is no picture that can be read. Save it as .png or .jpg.")


def _load_logo(path: Path) -> Logo:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LOGO_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"review.logo: {path} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_LOGO_BYTES:
        raise ConfigError(f"review.logo: {path} is larger than {MAX_LOGO_BYTES // 1_000_000} MB. Make it smaller.")
    for signature, media_type in LOGO_SIGNATURES.items():
        if data.startswith(signature):
            return Logo(path, data, media_type)
    raise _make_logo_error(path)
