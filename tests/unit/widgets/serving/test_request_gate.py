"""Requests that a served screen refuses."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from circuitz.widgets.serving.request_gate import (
    LOOPBACK,
    host_without_port,
    is_page_navigation,
    reason_to_refuse_request,
)

HERE = "127.0.0.1:8866"


@pytest.mark.parametrize(
    ("method", "headers", "passes"),
    [
        ("GET", {}, True),
        ("GET", {"Origin": "http://evil.example"}, True),  # only looks; the cookie stays at home
        ("POST", {"Origin": f"http://{HERE}"}, True),
        ("POST", {"Origin": f"HTTP://{HERE}"}, True),
        ("POST", {}, False),
        ("POST", {"Origin": ""}, False),
        ("POST", {"Origin": "null"}, False),
        ("POST", {"Origin": "http://["}, False),
        ("POST", {"Origin": "http://127.0.0.1:9"}, False),
        ("POST", {"Origin": f"http://{HERE}.evil.example"}, False),
        ("POST", {"Origin": f"http://evil.example/{HERE}"}, False),
        ("post", {"Origin": "http://evil.example"}, False),
        ("DELETE", {"Origin": "http://evil.example", "Authorization": "token x"}, False),
        ("DELETE", {"Authorization": "token x"}, True),
        ("DELETE", {"Authorization": "Bearer x"}, True),
        ("DELETE", {"Authorization": "Basic x"}, False),
        ("PURGE", {}, False),
        ("GET", {"Upgrade": "WebSocket"}, False),
        ("GET", {"Upgrade": "websocket", "Origin": f"http://{HERE}"}, True),
        ("GET", {"Upgrade": "websocket", "Origin": "http://localhost:8866"}, False),
        ("GET", {"Host": "evil.example"}, False),
        ("GET", {"Host": "evil.example:8866"}, False),
        ("GET", {"Host": "127.0.0.1.evil.example"}, False),
        ("GET", {"Host": ""}, False),
        ("GET", {"Host": "["}, False),
        ("GET", {"Host": "[::1]:8866"}, True),
        ("GET", {"Host": "LOCALHOST"}, True),
    ],
)
def test_only_pages_of_this_server_act(method, headers, passes):
    sent = HTTPHeaders({"Host": HERE} | headers)
    assert (reason_to_refuse_request(method, sent, names=LOOPBACK) == "") is passes


def test_a_server_on_a_network_goes_by_any_name_but_its_pages_alone_act():
    there = HTTPHeaders({"Host": "lab.example:80", "Origin": "http://lab.example:80"})
    assert reason_to_refuse_request("POST", there, names=()) == ""
    there["Origin"] = "http://lab.example"
    assert "another server" in reason_to_refuse_request("POST", there, names=())


def test_pages_that_a_proxy_shows_under_a_known_name_act():
    def refused(origin: str, host: str = "127.0.0.1:8866") -> str:
        headers = {"Host": host, "Origin": origin, "Upgrade": "websocket"}
        names, pages = {"127.0.0.1", "hub.example"}, ["hub.example", "lab.example:8443"]
        return reason_to_refuse_request("GET", headers, names=names, pages=pages)

    assert refused("https://hub.example") == ""
    assert refused("https://hub.example", "hub.example") == ""
    assert refused("https://lab.example:8443") == ""
    for origin in (
        "https://hub.example:8443",
        "https://lab.example",
        "https://evil.example",
        "null",
    ):
        assert refused(origin)
    assert refused("https://hub.example", "evil.example")


def test_a_page_opens_for_a_person_not_inside_another_page():
    assert is_page_navigation({})
    assert is_page_navigation({"Sec-Fetch-Dest": "document"})
    for kind in ("iframe", "image", "script", "empty", "embed"):
        assert not is_page_navigation({"Sec-Fetch-Dest": kind})


def test_names_are_read_from_hosts():
    assert host_without_port("Example.ORG:80") == "example.org"
    assert host_without_port("[::1]:80") == "::1"
    assert host_without_port("[") == ""
