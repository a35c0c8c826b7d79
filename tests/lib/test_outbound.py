"""Calls go out, and never back into our own network."""

import socket
import threading
import time
from collections.abc import Callable

import pytest

from roadchief.lib import outbound
from roadchief.lib.outbound import Forbidden, Unreachable, resolve

Names = Callable[..., None]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """`names("10.0.0.5")`: what every name resolves to."""

    def set_to(*addresses: str) -> None:
        def look_up(_host: str, port: int, **_given: object) -> list[object]:
            return [
                (
                    socket.AF_INET6 if ":" in address else socket.AF_INET,
                    socket.SOCK_STREAM,
                    6,
                    "",
                    (address, port),
                )
                for address in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return set_to


INSIDE = ["10.0.0.5", "172.16.1.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.5"]
NEVER = [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "169.254.169.254",
    "fe80::1",
    "0.0.0.0",  # noqa: S104
    "::",
    "224.0.0.1",
    "255.255.255.255",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", INSIDE + NEVER)
def test_a_name_that_leads_inside_is_not_called(names: Names, address: str) -> None:
    names(address)
    with pytest.raises(Forbidden):
        resolve("https://gateway.example/notify")


@pytest.mark.parametrize("address", NEVER)
def test_some_places_are_never_called(names: Names, address: str) -> None:
    names(address)
    with pytest.raises(Forbidden):
        resolve("https://gateway.example/notify", private=True)


@pytest.mark.parametrize("address", INSIDE)
def test_an_inner_network_may_be_allowed(names: Names, address: str) -> None:
    names(address)
    assert resolve("https://gateway.example/notify", private=True).ip == address


def test_one_bad_address_of_several_is_enough(names: Names) -> None:
    names("93.184.215.14", "127.0.0.1")
    with pytest.raises(Forbidden):
        resolve("https://gateway.example/")


def test_the_checked_address_is_the_one_called(names: Names) -> None:
    names("93.184.215.14")
    target = resolve("https://Gateway.Example:8443/notify?a=b")
    assert target == outbound.Target(
        "https", "gateway.example", 8443, "93.184.215.14", "/notify?a=b"
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gateway.example",
        "http://gateway.example/",
        "ftp://gateway.example/",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@gateway.example/",
        "https://gateway.example:99999/",
        "https://[::1",
    ],
)
def test_what_is_no_address_of_a_gateway(names: Names, url: str) -> None:
    names("93.184.215.14")
    with pytest.raises(Forbidden):
        resolve(url)


def test_an_unknown_name() -> None:
    with pytest.raises((Unreachable, Forbidden)):
        resolve("https://" + "a" * 300 + ".example/")
    with pytest.raises(Unreachable):
        resolve("https://gateway.invalid/")


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable):
        outbound.post(resolve(f"http://127.0.0.1:{port}/"), b"{}", {})


def test_who_drips_bytes_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "WHOLE_S", 0.6)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not stop.wait(0.1):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        start = time.monotonic()
        with pytest.raises(Unreachable, match="too slow"):
            outbound.post(resolve(f"http://127.0.0.1:{server.getsockname()[1]}/"), b"{}", {})
        assert time.monotonic() - start < 10
        stop.set()
        thread.join()
