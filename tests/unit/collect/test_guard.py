"""Which addresses are public."""

import socket

import pytest

from pipeline.collect.guard import RefusedAddressError, is_public, socket_factory


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_allowed(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "198.18.0.1", "192.0.0.8", "240.0.0.1", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1", "3fff::1", "5f00::1", "::127.0.0.1", "not an address", "",
    ],
)  # fmt: skip
def test_all_others_are_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "169.254.170.2", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200", "168.63.129.16",
     "::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "192.0.0.192"],
)  # fmt: skip
def test_the_metadata_of_a_cloud_stays_closed_where_private_addresses_are_allowed(address):
    make = socket_factory(allow_private=True)
    with pytest.raises(RefusedAddressError, match="metadata"):
        make((socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 80)))
    make((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.1", 80))).close()
