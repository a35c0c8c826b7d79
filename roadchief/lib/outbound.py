"""Calling other systems without being used against our own network.

The name is resolved once, every address it has is checked, and the connection goes to the address
that was checked, so a name that changes its mind between the two gets nowhere. Redirects are not
followed. Only the status is read.
"""

import ipaddress
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
CONNECT_S, READ_S, WHOLE_S = 5.0, 10.0, 20.0


class Unreachable(Exception):
    """Nobody answered, in time, with a status. Whether they took it is unknown."""


class Forbidden(Exception):
    """An address that we do not call. The text says why."""


@dataclass(frozen=True)
class Target:
    """Where a call goes: the address that was checked, and the name it was asked by."""

    scheme: str
    host: str
    port: int
    ip: str
    path: str


def resolve(url: str, *, private: bool = False) -> Target:
    """Check an address. Raises Forbidden, or Unreachable where the name is unknown."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise Forbidden("not an address") from error
    host = (parts.hostname or "").lower()
    if not host or parts.username or parts.password or parts.scheme not in {"http", "https"}:
        raise Forbidden("an address such as https://gateway.example.gov.cn/notify")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise Forbidden("https only, beyond this machine")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"unknown name {host}") from error
    addresses = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
    for address in addresses:
        if not may_call(address, by_name=host, private=private):
            raise Forbidden(f"{host} is {address}, inside our own network")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, addresses[0], path)


def may_call(address: str, *, by_name: str, private: bool) -> bool:
    """The open network; loopback when it is called by its name; inner networks when allowed."""
    ip = innermost(ipaddress.ip_address(address))
    if ip.is_loopback:
        return by_name in LOOPBACK
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local or ip.is_reserved:
        return False  # link-local holds the machine rooms' own services
    return ip.is_global or private


def innermost(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip
    return ip


def post(target: Target, body: bytes, headers: dict[str, str]) -> int:
    """Send once; the status of the answer. Raises Unreachable."""
    name = target.host if target.port in {80, 443} else f"{target.host}:{target.port}"
    timeout = urllib3.Timeout(connect=CONNECT_S, read=READ_S)
    pool: urllib3.HTTPConnectionPool
    if target.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            target.ip,
            target.port,
            timeout=timeout,
            cert_reqs="CERT_REQUIRED",
            server_hostname=target.host,
            assert_hostname=target.host,
        )
    else:
        pool = urllib3.HTTPConnectionPool(target.ip, target.port, timeout=timeout)
    # Timeouts count from byte to byte; somebody who drips bytes is cut off by the clock.
    answer: list[urllib3.BaseHTTPResponse] = []
    trouble: list[Exception] = []

    def call() -> None:
        try:
            answer.append(
                pool.urlopen(
                    "POST",
                    target.path,
                    body=body,
                    headers=headers | {"Host": name},
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            trouble.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(WHOLE_S)
    pool.close()
    if not answer:
        raise Unreachable(type(trouble[0]).__name__ if trouble else "too slow")
    status = int(answer[0].status)
    answer[0].close()
    return status
