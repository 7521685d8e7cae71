import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.dialled_address import refusal


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("169.254.169.254", "link-local"),
        ("169.254.0.1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("100.100.100.200", "a cloud's metadata service"),
        ("fd00:ec2::254", "a cloud's metadata service"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("224.0.0.251", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("240.0.0.1", "reserved"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::ffff:0.0.0.0", "unspecified"),
        ("::169.254.169.254", "link-local"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::a9fe:a9fe", "link-local"),
        ("64:ff9b:1:a9fe:a9:fe00::", "link-local"),
        ("2002:a9fe:a9fe::1", "link-local"),
        ("fd00::5efe:a9fe:a9fe", "link-local"),
        ("not an address", "not an IP address"),
    ],
)
def test_an_address_that_is_not_a_server_of_the_shop_is_refused(address: str, reason: str) -> None:
    assert refusal(address) == reason


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.20", "100.64.0.1", "8.8.8.8"),
        *("fd12:3456::1", "2606:4700::1111", "::ffff:192.168.1.20", "::ffff:127.0.0.1"),
        *("64:ff9b::c0a8:114", "64:ff9b:1::c0a8:114"),
    ],
)
def test_servers_of_the_shop_this_computer_and_the_internet_are_allowed(address: str) -> None:
    assert refusal(address) is None


@given(st.integers(0, 0xFFFFFFFF), st.sampled_from(["::ffff:{}", "64:ff9b::{}", "fd00::5efe:{}"]))
def test_an_ipv4_address_written_as_ipv6_is_judged_like_itself(number: int, form: str) -> None:
    plain = str(ipaddress.IPv4Address(number))
    assert refusal(form.format(plain)) == refusal(plain)
