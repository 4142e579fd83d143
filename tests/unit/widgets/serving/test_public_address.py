"""Where visitors find a server behind a proxy."""

from __future__ import annotations

import pytest

from circuitz.errors import ServeError
from circuitz.widgets.serving.public_address import (
    PublicAddress,
    host_names_and_page_places,
    parse_public_address,
    path_under_prefix,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/", PublicAddress()),
        ("/a", PublicAddress("/a/")),
        ("/user/ada%40uni/proxy/8866/", PublicAddress("/user/ada%40uni/proxy/8866/")),
        ("/a//b/", PublicAddress("/a/b/")),
        ("https://Hub.example.org", PublicAddress("/", "https", "hub.example.org")),
        ("http://localhost:8/x/", PublicAddress("/x/", "http", "localhost:8")),
        ("https://[::1]:8443/x", PublicAddress("/x/", "https", "[::1]:8443")),
    ],
)
def test_a_path_or_a_whole_address(text: str, address: PublicAddress) -> None:
    assert parse_public_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "a/", "//evil.example/", "ftp://a/", "https:///a", "/a?x=1", "/a#b", "/a b/", "/../a/",
        "/a/./b", 'https://a"b/', "https://u:p@a/", "/a'\"><script>", "https://a:99999999/", "/%zz/",
        "/\N{LATIN SMALL LETTER E WITH ACUTE}/",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ServeError) as refused:
        host_names_and_page_places(parse_public_address(text), ())
    assert refused.value.code == "serve"
    assert refused.value.hint


def test_names_are_heard_by_host_and_pages_by_place() -> None:
    address = parse_public_address("https://hub.example.org/x/")
    assert host_names_and_page_places(address, ["Lab.example:8443"]) == (
        ["lab.example", "hub.example.org"],
        ["lab.example:8443", "hub.example.org"],
    )
    for name in ("", "a b", "https://a", "a/b", "a:b"):
        with pytest.raises(ServeError):
            host_names_and_page_places(address, [name])


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/", "/u/x/"), ("/?token=t", "/u/x/?token=t"), ("/login", "/u/x/login"), ("/u/x/", "/u/x/"),
        ("/u/x/login?a=/u/", "/u/x/login?a=/u/"), ("/u/x", "/u/x/"), ("/u/x?token=t", "/u/x/?token=t"),
        ("/u/xy", "/u/x/u/xy"), ("*", "*"),
    ],
)  # fmt: skip
def test_a_path_has_its_prefix_whether_the_proxy_left_it_or_not(path: str, read: str) -> None:
    assert path_under_prefix(path, "/u/x/") == read
    assert path_under_prefix(path, "/") == path


def test_two_servers_under_one_name_keep_their_logins_apart() -> None:
    names = {PublicAddress(path).cookie_name for path in ("/a/", "/b/")}
    assert len(names) == 2
    assert PublicAddress().cookie_name == ""
