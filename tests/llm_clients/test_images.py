"""Uploaded logos and backgrounds: made anew from their pixels, whatever they pretend to be."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from portal.caching import cache
from portal.database import db
from portal.llm_clients import cloning, image_making, images, revisions
from portal.llm_clients.image_making import (
    BACKGROUND,
    BROKEN,
    IS_SVG,
    LOGO,
    NOT_AN_IMAGE,
    TOO_LARGE,
    TOO_MANY_PIXELS,
    ImageRefused,
    made_from,
)
from portal.llm_clients.image_models import ClientImage
from portal.llm_clients.models import LLMClient
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor
from tests.serving.conftest import make_visitor as make_visitor

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><script>alert(1)</script>"
SECRET = b"52.5200 N 13.4050 E"


def file_of(
    format: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any
) -> bytes:
    written = BytesIO()
    Image.new(mode, size, "teal" if mode in ("RGB", "RGBA", "P") else None).save(
        written, format, **options
    )
    return written.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_that_claims(width: int, height: int) -> bytes:
    """A few octets whose head says that they are a very large picture."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def read(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize(("kind", "becomes"), [(LOGO, "PNG"), (BACKGROUND, "WEBP")])
def test_known_formats_become_ours(format: str, kind: str, becomes: str) -> None:
    made = made_from(file_of(format), kind)
    assert read(made.content).format == becomes
    assert made.media_type == f"image/{becomes.lower()}"
    assert (made.width, made.height) == (40, 30)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_pixel_is_drawn(mode: str) -> None:
    made = made_from(file_of("PNG", mode=mode), LOGO)
    assert read(made.content).mode == ("RGBA" if mode in ("LA", "RGBA") else "RGB")
    assert made_from(file_of("JPEG", mode="CMYK"), BACKGROUND).width == 40


@pytest.mark.parametrize(
    ("kind", "size", "room"),
    [(LOGO, (1000, 500), (512, 256)), (BACKGROUND, (800, 3200), (400, 1600))],
)
def test_large_images_are_made_smaller(
    kind: str, size: tuple[int, int], room: tuple[int, int]
) -> None:
    made = made_from(file_of("PNG", size), kind)
    assert (made.width, made.height) == room == read(made.content).size


def test_nothing_that_came_with_the_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = SECRET.decode(), 6
    for format in ("JPEG", "PNG", "WEBP"):
        raw = file_of(format, exif=exif, icc_profile=SECRET)
        assert SECRET in raw
        for kind in (LOGO, BACKGROUND):
            made = made_from(raw + b"<script>" + SECRET, kind)
            assert SECRET not in made.content
            found = read(made.content)
            assert not found.getexif()
            assert "icc_profile" not in found.info
            assert (made.width, made.height) == (30, 40), "turned as the camera noted"


def test_of_a_moving_picture_the_first_frame_is_kept() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    written = BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    found = read(made_from(written.getvalue(), LOGO).content)
    assert getattr(found, "n_frames", 1) == 1
    assert found.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


REFUSED = {
    "svg": (SVG, IS_SVG),
    "html": (HTML, NOT_AN_IMAGE),
    "nothing": (b"", NOT_AN_IMAGE),
    "bmp": (file_of("BMP"), NOT_AN_IMAGE),
    "tiff": (file_of("TIFF"), NOT_AN_IMAGE),
    "pdf": (b"%PDF-1.7\n", NOT_AN_IMAGE),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", NOT_AN_IMAGE),
    "too large": (file_of() + b"\0" * 2_000_000, TOO_LARGE),
    "bomb": (png_that_claims(60_000, 60_000), TOO_MANY_PIXELS),
    "warned bomb": (png_that_claims(10_000, 10_000), TOO_MANY_PIXELS),
    "small bomb": (png_that_claims(4_001, 4_000), TOO_MANY_PIXELS),
    "cut png": (file_of("PNG", (300, 300))[:80], BROKEN),
    "cut jpeg": (file_of("JPEG", (300, 300))[:-500], BROKEN),
    "cut gif": (file_of("GIF", (300, 300))[:-40], BROKEN),
    "too few pixels": (png_that_claims(1_000, 1_000), BROKEN),
    "head of a png": (b"\x89PNG\r\n\x1a\n" + HTML, NOT_AN_IMAGE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_told_in_a_sentence(name: str) -> None:
    raw, sentence = REFUSED[name]
    for kind in (LOGO, BACKGROUND):
        with pytest.raises(ImageRefused) as refused:
            made_from(raw, kind)
        assert refused.value.public_message == sentence


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def save(browser: Browser, path: str, expected: int = 303, **files: bytes) -> Page:
    """Send the form as it stands, with these files."""
    values = browser.get(path).values("form[data-live]")
    uploads = {name: FileStorage(BytesIO(data), f"{name}.png") for name, data in files.items()}
    boundary, body = encode_multipart({**values, **uploads})
    kind = f"multipart/form-data; boundary={boundary}"
    page = Page(browser.raw("POST", path, data=body, content_type=kind))
    assert page.status == expected, page.words[:500]
    return page


def content_of(planes: Planes, hashed_id: str) -> dict[str, Any]:
    with planes.worker.app_context():
        query = db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
        return revisions.content_of(db.session.scalars(query).one())


def test_an_upload_is_part_of_a_revision(
    alice: Browser, planes: Planes, make_client: MakeClient
) -> None:
    hashed_id = make_client()
    path = f"/llm-clients/{hashed_id}/"
    save(alice, path + "edit", app_logo_file=file_of(), app_background_file=file_of("JPEG"))
    content = content_of(planes, hashed_id)
    logo = content["app_logo_upload"]
    assert logo == made_from(file_of(), LOGO).sha256
    page = alice.get(path + "edit")
    shown = page.find(f".uploaded img[src='{path}images/{logo}']")
    answer = alice.raw("GET", str(shown["src"]))
    assert answer.mimetype == "image/png"
    alice.post(path + "revisions/1/restore")
    assert content_of(planes, hashed_id)["app_logo_upload"] == ""
    alice.post(path + "revisions/2/restore")
    assert content_of(planes, hashed_id)["app_logo_upload"] == logo


def test_the_checkbox_removes_it_and_saving_without_a_file_keeps_it(
    alice: Browser, planes: Planes, make_client: MakeClient
) -> None:
    hashed_id = make_client()
    path = f"/llm-clients/{hashed_id}/edit"
    save(alice, path, app_logo_file=file_of())
    save(alice, path)
    assert content_of(planes, hashed_id)["app_logo_upload"]
    values = alice.get(path).values("form[data-live]") | {"app_logo_remove": "y"}
    alice.post(path, {k: v for k, v in values.items() if not k.endswith("_file")})
    assert content_of(planes, hashed_id)["app_logo_upload"] == ""


def test_a_copy_shows_the_same_image(
    alice: Browser, planes: Planes, people: People, make_client: MakeClient
) -> None:
    hashed_id = make_client()
    save(alice, f"/llm-clients/{hashed_id}/edit", app_logo_file=file_of())
    with planes.worker.app_context():
        query = db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
        original = db.session.scalars(query).one()
        copy = cloning.clone(original)
        assert copy.app_logo_upload == original.app_logo_upload
        assert images.find(copy.account_id, copy.app_logo_upload) is not None
        assert len(db.session.scalars(db.select(ClientImage)).all()) == 1


def test_a_refused_file_is_told_beside_its_field(alice: Browser, make_client: MakeClient) -> None:
    path = f"/llm-clients/{make_client()}/edit"
    page = save(alice, path, 422, app_logo_file=SVG, app_background_file=file_of())
    assert page.find("#app_logo_file-error").get_text() == f"Error:{IS_SVG}"
    assert "Choose the file again" in page.find("#app_background_file-error").get_text()


def test_a_photo_that_is_too_large_leaves_the_form_as_typed(
    alice: Browser, make_client: MakeClient
) -> None:
    path = f"/llm-clients/{make_client()}/edit"
    page = save(alice, path, 422, app_logo_file=b"\0" * 4_000_000)
    assert TOO_LARGE in page.find("#app_logo_file-error").get_text()
    save(alice, path, 413, app_logo_file=b"\0" * 12_000_001)


def test_images_are_shown_to_their_account_only(
    alice: Browser, people: People, planes: Planes, make_client: MakeClient
) -> None:
    hashed_id, other = make_client("one"), make_client("other", people.charlie)
    path = f"/llm-clients/{hashed_id}/"
    save(alice, path + "edit", app_logo_file=file_of())
    digest = content_of(planes, hashed_id)["app_logo_upload"]
    charlie = people.browser(people.charlie)
    assert charlie.raw("GET", f"{path}images/{digest}").status_code == 404
    assert charlie.raw("GET", f"/llm-clients/{other}/images/{digest}").status_code == 404
    assert people.browser().raw("GET", f"{path}images/{digest}").status_code == 303


@pytest.fixture
def visitor(make_visitor: MakeVisitor, planes: Planes) -> Visitor:
    """In front of a client whose published revision has an uploaded logo and background."""
    found = make_visitor(app_logo_url="https://museum.example/logo.png")
    with planes.worker.app_context():
        llm_client = db.session.get_one(LLMClient, found.client_id)
        for kind in (LOGO, BACKGROUND):
            made = image_making.made_from(file_of(), kind)
            setattr(llm_client, images.UPLOADS[kind], images.keep(llm_client.account_id, made))
        llm_client.published_revision = revisions.take(llm_client, None)
        db.session.commit()
        cache().forget()
    return found


def test_visitors_get_uploads_from_the_clients_own_host(visitor: Visitor) -> None:
    chatbot = visitor.config()["chatbot"]
    page = visitor.ask("GET", "/").get_data(as_text=True)
    for name, kind in (("app_logo_url", "image/png"), ("app_background_image_url", "image/webp")):
        url = chatbot[name]
        assert url.startswith(f"{visitor.base}/images/")
        assert url.removeprefix(visitor.base) in page
        answer = visitor.ask("GET", url.removeprefix(visitor.base))
        assert answer.mimetype == kind
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        again = {"If-None-Match": answer.headers["ETag"]}
        assert visitor.ask("GET", url.removeprefix(visitor.base), headers=again).status_code == 304
    assert "museum.example" not in page


def test_a_client_serves_only_its_own_images(visitor: Visitor, make_visitor: MakeVisitor) -> None:
    path = visitor.config()["chatbot"]["app_logo_url"].removeprefix(visitor.base)
    other = make_visitor("other")
    assert other.ask("GET", path).status_code == 404
    assert visitor.ask("GET", "/images/" + "0" * 64).status_code == 404
    assert visitor.ask("GET", "/images/../x").status_code == 404
