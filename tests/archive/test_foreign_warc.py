"""WARC files of other tools, broken ones, and ones made to do harm."""

from __future__ import annotations

import gc
import gzip
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.archive.content_encoding import BodyTooLarge, TruncatedBody, UndecodableBody, decode_body
from crawler.archive.snapshot_reader import read_snapshot_at, read_snapshots
from crawler.errors import ArchiveError
from crawler.items import SnapshotRef

# warcio's writer, used here as the other tool, leaves its temporary files to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

URL = "https://example.org/a"


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    yield
    gc.collect()


def record(writer: WARCWriter, body: bytes, kind: str = "response", **headers: str) -> object:
    line = "200 OK" if kind != "request" else "POST /a HTTP/1.1"
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    http = StatusAndHeaders(
        line, fields, protocol="HTTP/1.1" if kind != "request" else "", is_http_request=kind == "request"
    )
    dates = {"WARC-Date": "2020-02-03T04:05:06Z"}
    return writer.create_warc_record(URL, kind, payload=io.BytesIO(body), http_headers=http, warc_headers_dict=dates)


@pytest.mark.parametrize("compressed", [False, True])
def test_files_of_another_tool_are_read(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / ("a.warc.gz" if compressed else "a.warc")
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=compressed, warc_version="1.0")
        writer.write_record(writer.create_warcinfo_record("a", {"software": "other"}))
        writer.write_record(record(writer, b"4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n", Transfer_Encoding="chunked"))
        pair = record(writer, b"answer", Content_Type="text/plain")
        writer.write_request_response_pair(record(writer, b'{"query": 1}', "request"), pair)
        writer.write_record(record(writer, gzip.compress(b"packed"), Content_Encoding="gzip"))
    first, second, third = read_snapshots(path)
    assert (first.body, first.method, first.payload) == (b"Wikipedia", "GET", None)
    assert (second.body, second.method, second.payload) == (b"answer", "POST", b'{"query": 1}')
    assert (third.body, third.headers) == (b"packed", {})
    assert second.headers == {"content-type": "text/plain"}
    assert first.fetched_at is not None
    assert first.fetched_at.isoformat() == "2020-02-03T04:05:06+00:00"
    assert second.ref is not None
    assert read_snapshot_at(tmp_path.parent, second.ref).body == b"answer"


def test_a_request_before_its_response_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file)
        request, response = record(writer, b"sent", "request"), record(writer, b"answer")
        request.rec_headers.add_header("WARC-Concurrent-To", response.rec_headers.get("WARC-Record-ID"))  # type: ignore[attr-defined]
        writer.write_record(request)
        writer.write_record(response)
    (snapshot,) = read_snapshots(path)
    assert (snapshot.method, snapshot.payload, snapshot.body) == ("POST", b"sent", b"answer")


@pytest.mark.parametrize(
    "content", [b"no WARC at all\n" * 50, gzip.compress(b"no WARC at all\n" * 50, mtime=0), b"\x00" * 100]
)
def test_a_file_that_is_no_warc_is_named_as_such(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"a\.warc\.gz is no WARC file"):
        list(read_snapshots(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"none\.warc\.gz cannot be read: no such file"):
        list(read_snapshots(tmp_path / "none.warc.gz"))


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(b"")
    assert list(read_snapshots(tmp_path / "a.warc.gz")) == []


def test_a_plain_warc_that_is_cut_off_gives_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=False)
        writer.write_record(record(writer, b"first"))
        writer.write_record(record(writer, b"second" * 100))
    path.write_bytes(path.read_bytes()[:-80])
    read = read_snapshots(path)
    assert next(read).body == b"first"
    with pytest.raises(ArchiveError, match="broken at byte"):
        next(read)


def test_a_gzip_bomb_in_an_archive_is_passed_over_and_named_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file)
        writer.write_record(record(writer, gzip.compress(b"\0" * 30_000_000), Content_Encoding="gzip"))
        writer.write_record(record(writer, b"harmless"))
    read = read_snapshots(path, limit=1_000_000)
    assert next(read).body == b"harmless"
    with pytest.raises(
        ArchiveError, match=r"https://example.org/a: the body cannot be decoded: a body of more than 1000000"
    ):
        next(read)


def test_a_revisit_whose_original_is_nowhere_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file)
        lost = writer.create_revisit_record(
            URL, "sha1:ABC", URL, "2020-01-01T00:00:00Z", StatusAndHeaders("200 OK", [], "HTTP/1.1")
        )
        writer.write_record(lost)
        writer.write_record(record(writer, b"here"))
    read = read_snapshots(path)
    assert next(read).body == b"here"
    with pytest.raises(ArchiveError, match="the record that holds the payload is not in the archive"):
        next(read)


def test_a_reference_cannot_lead_out_of_the_archive(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="is no file of the archive"):
        read_snapshot_at(tmp_path / "archive", SnapshotRef(file="../secret.warc.gz", offset=0, digest="sha256:0"))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_nothing_expands_past_the_limit(encoding: str) -> None:
    body = b"\0" * 20_000_000
    for one in encoding.split(", "):
        body = compress_text(one, body)
    with pytest.raises(BodyTooLarge):
        decode_body(body, encoding, 1_000_000)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(b"\0" * 700_000, mtime=0) * 3), ("identity", b"\0" * 1_000_001)],
    ids=["members", "identity"],
)
def test_a_body_just_past_the_limit_is_refused(encoding: str, body: bytes) -> None:
    with pytest.raises(BodyTooLarge):
        decode_body(body, encoding, 1_000_000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_in_another_encoding_is_an_error(encoding: str) -> None:
    with pytest.raises(UndecodableBody):
        decode_body(b"plain text, never packed", encoding)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("WARC-Refers-To-Date", "**/**/**/*"),
        ("WARC-Refers-To-Date", "/etc/passwd"),
        ("WARC-Refers-To-Date", "2020-02-0*"),
        ("WARC-Refers-To-Filename", "../../etc/passwd"),
        ("WARC-Refers-To-Filename", "/etc/passwd"),
        ("WARC-Refers-To-Filename", "a\0b"),
        ("WARC-Refers-To-File-Offset", "9" * 30),
        ("WARC-Refers-To-File-Offset", "-1"),
        ("WARC-Target-URI", "http://[bad"),
        ("WARC-Target-URI", "http://example.org:99999999/"),
        ("WARC-Target-URI", "file:///etc/passwd"),
        ("WARC-Target-URI", "javascript:alert(1)"),
    ],
)
def test_record_with_a_hostile_header_is_rejected_by_the_name_of_the_field(
    tmp_path: Path, field: str, value: str
) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        writer.write_record(record(writer, b"sound"))
        http = StatusAndHeaders("200 OK", [], protocol="HTTP/1.1")
        fields = {"WARC-Date": "2020-02-03T04:05:06Z", "WARC-Payload-Digest": "sha1:X", field: value}
        url = fields.pop("WARC-Target-URI", URL)
        writer.write_record(writer.create_warc_record(url, "revisit", http_headers=http, warc_headers_dict=fields))
    snapshots = read_snapshots(path)
    assert next(snapshots).body == b"sound"
    with pytest.raises(ArchiveError, match=field):
        next(snapshots)


@pytest.mark.parametrize("length", ["-5", "9" * 30, "1e3", "5, 6", "\u0663"])
def test_record_with_a_hostile_length_is_named_and_those_before_it_are_read(
    tmp_path: Path, length: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.warc"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=False)
        for body in (b"sound", b"other"):
            writer.write_record(record(writer, body))
    before, mark, rest = path.read_bytes().rpartition(b"Content-Length: ")
    path.write_bytes(before + mark + length.encode() + rest[rest.index(b"\r\n") :])
    snapshots = read_snapshots(path)
    assert next(snapshots).body == b"sound"
    # Of 30 digits warcio reads a block before the length can be named.
    with pytest.raises(ArchiveError, match=r"byte \d+: Content-Length is '|broken at byte"):
        next(snapshots)
    assert capfd.readouterr().err == "", "warcio prints nothing"


def test_status_of_many_digits_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        http = StatusAndHeaders("9" * 5000 + " OK", [], protocol="HTTP/1.1")
        writer.write_record(writer.create_warc_record(URL, "response", payload=io.BytesIO(b"x"), http_headers=http))
    with pytest.raises(ArchiveError, match="status of the response") as caught:
        list(read_snapshots(path))
    assert len(str(caught.value)) < 1000


def compress_text(encoding: str, text: bytes) -> bytes:
    import zlib

    import brotli
    from backports import zstd

    if encoding == "raw deflate":
        stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return stream.compress(text) + stream.flush()
    compress = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": lambda body: brotli.compress(body, quality=5),
        "zstd": zstd.compress,
    }
    return compress[encoding](text)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw deflate", "br", "zstd"])
def test_a_body_that_is_cut_off_is_an_error(encoding: str) -> None:
    text = "".join(f"Мост {number * number} открыт. " for number in range(400)).encode()
    whole = compress_text(encoding, text)
    name = encoding.split()[-1]
    assert decode_body(whole, name) == text
    for length in (len(whole) // 3, len(whole) // 2, len(whole) - 5):
        with pytest.raises(TruncatedBody):
            decode_body(whole[:length], name)


MARKUP = ["<!DOCTYPE html><p>Мост открыт.</p>", '\ufeff{"data": []}', "  [1, 2]", "<p>" + "Мост открыт. " * 90]


@pytest.mark.parametrize("text", MARKUP, ids=range(len(MARKUP)))
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, br"])
def test_markup_that_was_never_encoded_is_read(encoding: str, text: str) -> None:
    assert decode_body(text.encode(), encoding) == text.encode()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_bytes_after_the_stream_are_ignored(encoding: str) -> None:
    assert decode_body(compress_text(encoding, b"<p>bridge</p>") + b"\r\n", encoding) == b"<p>bridge</p>"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_body_of_very_many_small_streams_is_read_in_linear_time(encoding: str) -> None:
    body = compress_text(encoding, b"a") * 100_000
    started = time.process_time()
    assert decode_body(body, encoding) == b"a" * 100_000
    assert time.process_time() - started < 3  # 4 to 10 s when each stream copied the rest of the body


def test_a_file_of_very_many_small_members_is_refused_in_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(b"WARC/1.0\r\n", mtime=0) * 200_000)
    started = time.process_time()
    with pytest.raises(ArchiveError, match="is no WARC file"):
        list(read_snapshots(path))
    assert time.process_time() - started < 2.5  # 4 s and more when each member copied the rest of a MB


def test_cut_record_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file)
        writer.write_record(record(writer, gzip.compress(b"half " * 500)[:-12], Content_Encoding="gzip"))
        writer.write_record(record(writer, b"<p>never packed</p>", Content_Encoding="gzip"))
    read = read_snapshots(path)
    assert next(read).body == b"<p>never packed</p>"
    with pytest.raises(ArchiveError, match=f"{URL}: the body cannot be decoded: it is cut off"):
        next(read)


def test_file_that_is_one_gzip_member_is_read(tmp_path: Path) -> None:
    plain = io.BytesIO()
    writer = WARCWriter(plain, gzip=False)
    for text in (b"one", b"two", b"three"):
        writer.write_record(record(writer, text))
    path = tmp_path / "mfa" / "a.warc.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(plain.getvalue()))
    found = list(read_snapshots(path))
    assert [each.body for each in found] == [b"one", b"two", b"three"]
    for each in found:
        assert each.ref is not None
        assert read_snapshot_at(tmp_path, each.ref).body == each.body
    path.write_bytes(gzip.compress(plain.getvalue())[:-20])
    with pytest.raises(ArchiveError, match=r"is broken at byte [0-9]+ of [0-9]+"):
        list(read_snapshots(path))


def test_file_in_pieces_that_are_no_records_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    plain = io.BytesIO()
    writer = WARCWriter(plain, gzip=False)
    bodies = [f"{number} ".encode() * 999 for number in range(3)]
    for body in bodies:
        writer.write_record(record(writer, body))
    data = plain.getvalue()
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(data[:4000]) + gzip.compress(data[4000:5000]) + gzip.compress(data[5000:]))
    assert [each.body for each in read_snapshots(path)] == bodies
    path.write_bytes(gzip.compress(data[:4000]) + gzip.compress(data[4000:])[:-20])
    with pytest.raises(ArchiveError, match="All records before it were read"):
        list(read_snapshots(path))
    errors: list[ArchiveError] = []
    assert [each.body for each in read_snapshots(path, on_error=errors.append)] == bodies[:2]
    assert len(errors) == 1


def test_resource_record_is_read_as_a_page(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file)
        for url in (URL, "metadata://example.org/note"):
            payload = io.BytesIO(b"<p>page</p>")
            writer.write_record(writer.create_warc_record(url, "resource", payload, warc_content_type="text/html"))
    (found,) = read_snapshots(path)
    assert (found.url, found.status, found.body, found.kind) == (URL, 200, b"<p>page</p>", "html")


CUT_HTML = "<html><body><p>Мост".encode()
WHOLE_HTML = CUT_HTML + b"</p></body></html>"
CHUNKS = b"4\r\n<p>x\r\n4\r\n</p>\r\n"


@pytest.mark.parametrize(
    ("protocol", "body", "headers", "expected"),
    [
        ("HTTP/1.0", CUT_HTML, {}, True),
        ("HTTP/1.0", WHOLE_HTML, {}, False),
        ("HTTP/1.0", CUT_HTML, {"Content-Length": str(len(CUT_HTML))}, False),
        ("HTTP/1.1", CUT_HTML, {"Connection": "close"}, True),
        ("HTTP/1.1", CUT_HTML, {"Content-Length": "9000"}, True),
        ("HTTP/1.1", CUT_HTML, {}, False),
        ("HTTP/1.0", b'{"data": [', {"Content-Type": "application/json"}, True),
        ("HTTP/1.0", b"a text", {"Content-Type": "text/plain"}, False),
        ("HTTP/1.0", gzip.compress(CUT_HTML, mtime=0), {"Content-Encoding": "gzip"}, False),
        ("HTTP/1.1", CHUNKS, {"Transfer-Encoding": "chunked"}, True),
        ("HTTP/1.1", CHUNKS + b"0\r\n\r\n", {"Transfer-Encoding": "chunked"}, False),
        ("HTTP/1.1", CHUNKS + b"00;x=1\r\nTrailer: 1\r\n\r\n", {"Transfer-Encoding": "chunked"}, False),
        ("HTTP/1.1", b"<p>x</p>", {"Transfer-Encoding": "chunked"}, False),
        ("HTTP/1.1", WHOLE_HTML, {"WARC-Truncated": "disconnect"}, True),
    ],
)
def test_body_that_ends_early_is_known(
    tmp_path: Path, protocol: str, body: bytes, headers: dict[str, str], expected: bool
) -> None:
    path = tmp_path / "a.warc.gz"
    named = {"Content-Type": "text/html", **headers}
    truncated = {name: named.pop(name) for name in list(named) if name.startswith("WARC")}
    with path.open("wb") as file:
        writer = WARCWriter(file)
        http = StatusAndHeaders("200 OK", list(named.items()), protocol=protocol)
        fields = {"WARC-Date": "2020-02-03T04:05:06Z", **truncated}
        payload = io.BytesIO(body)
        writer.write_record(
            writer.create_warc_record(URL, "response", payload=payload, http_headers=http, warc_headers_dict=fields)
        )
    (found,) = read_snapshots(path)
    assert found.is_cut_off is expected
    assert found.body.startswith((b"<", b"{", b"a"))


def test_what_cannot_be_read_is_handed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file)
        writer.write_record(record(writer, gzip.compress(b"half " * 500)[:-12], Content_Encoding="gzip"))
        writer.write_record(record(writer, b"<p>whole</p>"))
        writer.write_record(record(writer, b"never read"))
    path.write_bytes(path.read_bytes()[:-30])
    errors: list[ArchiveError] = []
    assert [page.body for page in read_snapshots(path, on_error=errors.append)] == [b"<p>whole</p>"]
    assert [error.url for error in errors] == [URL, None]
    assert "it is cut off" in str(errors[0])
    assert "broken at byte" in str(errors[1])
