from __future__ import annotations

import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.ingest.domain.attach import admit, attach, safe_name, sniff, withhold
from services.ingest.domain.image import strip_metadata
from services.ingest.domain.submission import File
from shared.errors import InvalidInput, Reason
from tests.support.submissions import photo, screenshot

LIMIT = 1_000


@pytest.mark.parametrize(
    ("content", "declared", "media_type"),
    [
        (screenshot(), "image/png", "image/png"),
        (screenshot(), "text/html", "image/png"),
        (screenshot(), "", "image/png"),
        (photo(), "application/octet-stream", "image/jpeg"),
        (b"%PDF-1.4\n...", "application/pdf", "application/pdf"),
        (b"<html><script>alert(1)</script>", "image/png", "text/html"),
        (b"just words", "image/png", "text/plain"),
        (b"a;b\n1;2\n", "text/csv; charset=utf-8", "text/csv"),
        (b'{"a": 1}', "application/json", "application/json"),
        ("Grüße".encode(), "", "text/plain"),
        (b"\x00\x01\x02\x03", "image/png", "application/octet-stream"),
        (b"", "image/png", "text/plain"),
        (b"BM is how this sentence begins", "", "text/plain"),
    ],
)
def test_the_content_decides_the_type(content: bytes, declared: str, media_type: str) -> None:
    assert sniff(content, declared) == media_type


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("shot.png", "shot.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\shot.png", "shot.png"),
        ("..", "attachment.png"),
        ("", "attachment.png"),
        (" . ", "attachment.png"),
        (".bashrc", "bashrc"),
        ("a\r\nb\x00c.png", "a bc.png"),
        ('q"u<o>t|e?*.png', "q_u_o_t_e__.png"),
        ("gnp\u202egpj.exe", "gnpgpj.exe"),
        ("\ud800.png", "\ufffd.png"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_names_are_safe(name: str, safe: str) -> None:
    assert safe_name(name, "image/png") == safe


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_every_name_is_safe(name: str) -> None:
    safe = safe_name(name, "")
    assert 0 < len(safe.encode()) <= 480
    assert not set(safe) & set('/\\<>:"|?*\n\0')
    assert safe not in {".", ".."}


def test_an_attachment_is_known_by_its_content() -> None:
    content = screenshot()
    (kept,) = attach([File("a.png", "", content), File("b.png", "image/gif", content)])
    assert kept.content == content
    assert kept.attachment.sha256 == hashlib.sha256(content).hexdigest()
    assert kept.attachment.size_bytes == len(content)
    assert (kept.attachment.name, kept.attachment.media_type) == ("a.png", "image/png")


def test_what_is_too_large_is_left_out_visibly() -> None:
    small, large = File("small.txt", "", b"x"), File("large.bin", "", b"x" * 5_000)
    files, notes = admit([large, small], max_file_bytes=LIMIT, max_files=2, strict=False)
    assert files == (small,)
    assert notes == ("[attachment left out: large.bin, 5 kB, over 1 kB]",)


def test_too_many_are_left_out_visibly() -> None:
    files, notes = admit(
        [File(f"{n}.txt", "", b"x") for n in range(3)], max_file_bytes=LIMIT, max_files=2, strict=False
    )
    assert [file.name for file in files] == ["0.txt", "1.txt"]
    assert notes == ("[attachment left out: 2.txt, 1 kB, more than 2 attachments]",)


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ([File("a", "", b"x"), File("b", "", b"x" * 5_000)], "attachments/1"),
        ([File("a", "", b"x")] * 3, "attachments"),
    ],
)
def test_who_can_mend_it_is_told(files: list[File], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        admit(files, max_file_bytes=LIMIT, max_files=2, strict=True)
    assert (refused.value.reason, refused.value.field) == (Reason.TOO_LARGE, field)


def test_in_confidence_pictures_are_drawn_anew_and_the_rest_is_withheld() -> None:
    files, notes = withhold(
        [
            File("ann-quote.png", "image/png", screenshot(author="Ann Quote")),
            File("IMG_ann.jpg", "image/jpeg", photo(artist="Ann Quote")),
            File("report by ann.pdf", "application/pdf", b"%PDF-1.4 /Author (Ann Quote)"),
        ]
    )
    assert [file.name for file in files] == ["attachment-1.png", "attachment-2.jpg"]
    assert not any(b"Ann" in file.content for file in files)
    assert notes == ("[attachment withheld, it could tell who sent it: application/pdf, 1 kB]",)


def test_a_photo_is_turned_the_way_it_was_taken() -> None:
    drawn = strip_metadata(photo(artist="Ann"))
    assert drawn is not None
    content, media_type = drawn
    assert media_type == "image/jpeg"
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (4, 8)
        assert not picture.getexif()
        assert "comment" not in picture.info


def test_transparency_survives() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(out, "PNG")
    drawn = strip_metadata(out.getvalue())
    assert drawn is not None
    with Image.open(io.BytesIO(drawn[0])) as picture:
        assert picture.getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"words",
        screenshot()[:40],
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 200,
        b"GIF89a",
        photo()[:30],
        b"RIFF0000WEBP",
    ],
)
def test_a_broken_picture_is_withheld(content: bytes) -> None:
    assert strip_metadata(content) is None


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=80))
def test_a_damaged_picture_is_survived(noise: bytes, at: int) -> None:
    content = screenshot()
    strip_metadata(content[:at] + noise + content[at + len(noise) :])
