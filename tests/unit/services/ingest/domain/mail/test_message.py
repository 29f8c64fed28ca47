"""MIME from anybody: every shape is read, nothing is lost without a word, and nothing raises."""

from __future__ import annotations

import contextlib
import time
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.mail.charset import decode
from services.ingest.domain.mail.headers import Mailbox
from services.ingest.domain.mail.html import Quotes, to_text
from services.ingest.domain.mail.message import Mail, read
from shared.errors import InvalidInput


def mail(text: str) -> Mail:
    return read(text.encode("utf-8", "surrogateescape"), max_parts=100)


def multipart(kind: str, *parts: str) -> str:
    body = "".join(f"--B\n{part}\n" for part in parts)
    return f"Subject: x\nContent-Type: multipart/{kind}; boundary=B\n\n{body}--B--\n"


def part(content: str, media_type: str = "text/plain", *headers: str) -> str:
    return "\n".join([f"Content-Type: {media_type}", *headers, "", content])


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Subject: x\n\nplain\n", "plain"),
        ("no header at all\n\nbody\n", "no header at all body"),
        ("Subject: x\nContent-Type: text/html\n\n<p>one<p>two", "one\n\ntwo"),
        (multipart("alternative", part("plain"), part("<b>html</b>", "text/html")), "plain"),
        (multipart("alternative", part(" "), part("<b>html</b>", "text/html")), "html"),
        (multipart("alternative", part("See the other one."), part("w " * 99, "text/html")), "w " * 99),
        (multipart("mixed", part("one"), part("two")), "one\n\ntwo"),
        (multipart("mixed", part("one"))[:-6], "one"),
        (multipart("mixed", part("=41", "text/plain", "Content-Transfer-Encoding: Quoted-Printable")), "A"),
        ("Content-Type: text/plain; charset=X-UNKNOWN\n\nüber", "über"),
        ("Content-Type: text/plain; format=flowed\n\none \ntwo\nthree", "one two\nthree"),
        ("Content-Type: text/plain; format=flowed; delsp=yes\n\none \ntwo", "onetwo"),
        ("Content-Type: multipart/mixed\n\nno boundary", "no boundary"),
    ],
)  # fmt: skip
def test_the_text_of_a_mail(raw: str, text: str) -> None:
    assert mail(raw).text.split() == text.split()


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        (['Content-Disposition: attachment; filename="a.png"'], "a.png"),
        (["Content-Disposition: attachment; filename==?utf-8?B?w7xiZXIucG5n?="], "über.png"),
        (["Content-Disposition: attachment; filename*=utf-8''%C3%BCber.png"], "über.png"),
        (["Content-Disposition: attachment; filename*0*=utf-8''%C3%BC; filename*1=ber.png"], "über.png"),
        (['Content-Disposition: attachment; filename="../../etc/passwd"'], "passwd"),
        (['Content-Disposition: attachment; filename="C:\\\\x\\\\a.png"'], "a.png"),
        (['Content-Disposition: attachment; filename="' + "n" * 400 + '.png"'], "n" * 146 + ".png"),
        (["Content-ID: <logo>"], "part-1.png"),
        (["Content-Disposition: inline"], "part-1.png"),
    ],
)
def test_a_file_keeps_its_name_but_no_path(headers: list[str], name: str) -> None:
    found = mail(
        multipart(
            "mixed", part("x"), part("AAEC", "image/png", "Content-Transfer-Encoding: base64", *headers)
        )
    )
    assert [(file.name, file.content) for file in found.files] == [(name, b"\x00\x01\x02")]


def test_what_outlook_packs_up_is_kept_as_it_is() -> None:
    found = mail(multipart("mixed", part("x"), part("TNEF", 'application/ms-tnef; name="winmail.dat"')))
    assert [(file.name, file.media_type) for file in found.files] == [("winmail.dat", "application/ms-tnef")]


def test_a_proof_of_the_sender_is_no_attachment() -> None:
    found = mail(multipart("signed", part("x"), part("sig", "application/pgp-signature; name=s.asc")))
    assert (found.text, found.files) == ("x", ())


def test_an_attached_mail_is_read_with_what_is_attached_to_it() -> None:
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "Carl <carl@acme.example>", "Portal"
    inner.set_content("I cannot log in.")
    inner.add_attachment(b"1", maintype="image", subtype="png", filename="a.png")
    outer = EmailMessage()
    outer["From"], outer["Subject"] = "ann@brightline.example", "Fwd: Portal"
    outer.set_content("See below.")
    outer.add_attachment(inner)
    found = read(bytes(outer), max_parts=100)
    assert found.text == "See below.\n\nPortal\n\nI cannot log in."
    assert found.forwarded_from == Mailbox("carl@acme.example", "Carl")
    assert [file.name for file in found.files] == ["a.png"]


def test_more_parts_than_the_limit_are_told_of() -> None:
    found = read(multipart("mixed", *(part(str(n)) for n in range(9))).encode(), max_parts=4)
    assert found.text.endswith("[6 parts of this mail were left out]")


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        ("Ada <ada@x.example>", Mailbox("ada@x.example", "Ada")),
        ("=?utf-8?Q?J=C3=BCrgen?= <J@X.EXAMPLE>", Mailbox("J@x.example", "Jürgen")),
        ('"A, B" <ab@x.example>', Mailbox("ab@x.example", "A, B")),
        ("undisclosed: ada@x.example;", Mailbox("ada@x.example")),
        ("undisclosed-recipients:;", None),
        ("ada@x.example (Ada)", Mailbox("ada@x.example")),
        ("nobody", None),
        ("<>", None),
        ("", None),
    ],
)
def test_who_sent_it(header: str, sender: Mailbox | None) -> None:
    assert mail(f"From: {header}\n\nx").sender == sender


@pytest.mark.parametrize(
    ("header", "date"),
    [
        ("Mon, 04 May 2026 11:00:00 +0200", "2026-05-04T11:00:00+02:00"),
        ("Mon, 04 May 2026 11:00:00 -0000", "2026-05-04T11:00:00+00:00"),
        ("4 May 26 11:00 GMT", "2026-05-04T11:00:00+00:00"),
        ("Mon, 04 May 0000 11:00:00 +0200", None),
        ("Mon, 99 May 2026 11:00:00 +0200", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_when_it_was_written(header: str, date: str | None) -> None:
    found = mail(f"Date: {header}\n\nx").date
    assert (found.isoformat() if found else None) == date


@pytest.mark.parametrize(
    ("content", "declared", "text"),
    [
        ("über".encode(), "utf-8", "über"),
        ("über".encode(), "us-ascii", "über"),
        ("über".encode(), "iso-8859-1", "über"),
        ("über “so”".encode("cp1252"), "iso-8859-1", "über “so”"),
        ("über".encode("latin-1"), "utf-8", "über"),
        ("счёт неверный, исправьте".encode("koi8-r"), "koi8-r", "счёт неверный, исправьте"),
        ("発票が違います".encode("iso-2022-jp"), "iso-2022-jp", "発票が違います"),
        ("发票".encode("gb18030"), "gb2312", "发票"),
        ("x".encode("utf-16"), "us-ascii", "x"),
        (b"\xef\xbb\xbfx", None, "x"),
        (b"abc", "rot13", "abc"),
        (b"abc-def" * 10, "punycode", "abc-def" * 10),
        (b"abc", "idna", "abc"),
        (b"abc", "\x00", "abc"),
        (b"", None, ""),
    ],
)
def test_bytes_become_text_whatever_they_claim_to_be(content: bytes, declared: str | None, text: str) -> None:
    assert decode(content, declared) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<div>a<div>b</div>c</div>d", "a\nb\nc\nd"),
        ("<div>a</div><div><br></div><div>b<br></div><div>c</div>", "a\n\nb\nc"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3"),
        ("<style>x{}</style><script>y()</script>a<svg><script>z</script></svg>", "a"),
        ("a &lt;b&gt; &amp;&nbsp;c", "a <b> & c"),
        ("<b>unclosed", "unclosed"),
        ("a\x00b", "ab"),
        ("", ""),
    ],
)
def test_html_as_people_see_it(html: str, text: str) -> None:
    assert to_text(html) == text


def test_quotes_that_mail_programs_mark_are_left_out() -> None:
    nested = "<blockquote type=cite>q<blockquote type=cite>qq</blockquote></blockquote>"
    html = f"mine{nested}<blockquote>own</blockquote>"
    assert to_text(html, without=Quotes.MARKED) == "mine\n\nown"
    assert to_text(html, without=Quotes.ALL) == "mine"
    outlook = "<div>mine</div><div id=appendonsend></div><hr>tail<div id=divRplyFwdMsg>From</div><p>quoted"
    assert to_text(outlook, without=Quotes.MARKED) == "mine"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 200_000 + "x",
        "".join(f"<font a={n}>" for n in range(2_000)) + "<p>x" * 10_000,
        "<p>hello <b>world</b></p>" * 40_000,
        "<" * 1_000_000,
        "<div id=appendonsend></div>" * 30_000,
        "<blockquote type=cite>" * 1_500,
    ],
)
def test_html_made_to_hold_us_up_does_not(html: str) -> None:
    began = time.process_time()
    to_text(html, without=Quotes.ALL)
    # Measured 0.01-0.3 s here; parsed as the standard says, up to three minutes.
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" * 500,
        b"To: " + b"a@b.example, " * 5_000 + b"\r\n\r\nx",
        b"Subject: " + b"=?utf-8?q?=41?= " * 5_000 + b"\r\n\r\nx",
        b"X: y\r\n" * 50_000 + b"\r\nx",
        b"References: " + b"<a@b> " * 20_000 + b"\r\n\r\nx",
        b'Content-Type: text/plain; name="' + b"\\" * 50_000 + b"\r\n\r\nx",
        b"From: " + b"(" * 5_000 + b"\r\n\r\nx",
    ],
)
def test_a_mail_made_to_hold_us_up_does_not(raw: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(InvalidInput):
        read(raw, max_parts=100)
    assert time.process_time() - began < 3


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_whatever_comes_in_is_read(headers: bytes, body: bytes) -> None:
    read(headers + b"\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" + body, max_parts=100)
