"""A second host, which is a network namespace of this machine, and the link between the two.

Python passes the packets of the link on, so that it can lose and delay them without anything from
the kernel but TUN devices. Making all this takes the rights of root.
"""

import fcntl
import heapq
import os
import random
import secrets
import selectors
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

TUNSETIFF = 0x400454CA
TUN_WITHOUT_HEADER = 0x0001 | 0x1000  # IFF_TUN | IFF_NO_PI
MOST_BYTES = 65_536
LOOK_EVERY = 0.2
IP = shutil.which("ip", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "ip"


class Fault(NamedTuple):
    """The shares of packets to and from the far host that get lost, and the delay of each way."""

    to_far: float = 0
    from_far: float = 0
    seconds: float = 0


NONE = Fault()
CUT = Fault(to_far=1, from_far=1)
SLOW = Fault(to_far=0.05, from_far=0.05, seconds=0.3)
ONLY_TO_FAR = Fault(from_far=1)
ONLY_FROM_FAR = Fault(to_far=1)


class Link:
    """Passes packets between two devices, in a thread. Those of the address `spared` never fail.

    `hit` is how many packets met a fault.
    """

    def __init__(self, near: int, far: int, spared: str) -> None:
        self.hit = 0
        self._fault = NONE
        self._near, self._spared = near, socket.inet_aton(spared)
        self._selector = selectors.DefaultSelector()
        self._selector.register(near, selectors.EVENT_READ, far)
        self._selector.register(far, selectors.EVENT_READ, near)
        self._on_the_way: list[tuple[float, int, int, bytes]] = []
        self._numbers, self._dice = count(), random.Random(0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="link")
        self._thread.start()

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        self._fault = fault
        try:
            yield
        finally:
            self._fault = NONE

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._selector.close()

    def _run(self) -> None:
        while not self._over.is_set():
            due = self._on_the_way[0][0] - time.monotonic() if self._on_the_way else LOOK_EVERY
            for key, _ in self._selector.select(min(max(due, 0), LOOK_EVERY)):
                self._take(os.read(key.fd, MOST_BYTES), key.data)
            while self._on_the_way and self._on_the_way[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(self._on_the_way)
                os.write(target, packet)

    def _take(self, packet: bytes, target: int) -> None:
        """Lose the packet, or put it on its way."""
        fault = NONE if self._spared in (packet[12:16], packet[16:20]) else self._fault
        self.hit += fault is not NONE
        lost = fault.from_far if target == self._near else fault.to_far
        if self._dice.random() >= lost:
            arrives = time.monotonic() + fault.seconds
            heapq.heappush(self._on_the_way, (arrives, next(self._numbers), target, packet))


class FarHost:
    """`near` is the address of this host on the link, and `bank` another one, which never fails:
    the bank is a third party, and the far host has a way of its own to it.

    Raises OSError or CalledProcessError if this process may not make it.
    """

    def __init__(self) -> None:
        network = f"198.{18 + secrets.randbelow(2)}.{secrets.randbelow(256)}"  # for tests: RFC 2544
        self.near, self.bank, far = (f"{network}.{number}" for number in (1, 2, 3))
        self._name = f"far-{os.getpid()}"
        self._devices: list[int] = []
        try:
            _ip("netns", "add", self._name)
            self._devices = [_tun(f"{end}-{os.getpid()}") for end in ("n", "f")]
            for address in (self.near, self.bank):
                _ip("address", "add", f"{address}/24", "dev", f"n-{os.getpid()}")
            _ip("link", "set", f"n-{os.getpid()}", "up")
            _ip("link", "set", f"f-{os.getpid()}", "netns", self._name)
            inside = ("-netns", self._name)
            _ip(*inside, "address", "add", f"{far}/24", "dev", f"f-{os.getpid()}")
            for device in (f"f-{os.getpid()}", "lo"):
                _ip(*inside, "link", "set", device, "up")
            _ip("netns", "exec", self._name, "true")
        except BaseException:
            self._remove()
            raise
        self.link = Link(*self._devices, spared=self.bank)

    def command(self, env: Mapping[str, str], *command: str) -> list[str]:
        """Return the command that runs this one on the far host, with more environment."""
        more = (f"{name}={value}" for name, value in env.items())
        return [IP, "netns", "exec", self._name, "env", *more, *command]

    def close(self) -> None:
        self.link.close()
        self._remove()

    def _remove(self) -> None:
        for device in self._devices:
            os.close(device)
        subprocess.run([IP, "netns", "delete", self._name], capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run([IP, *words], check=True, capture_output=True)


def _tun(name: str) -> int:
    """Return the file of a new device. The device lasts as long as the file is open."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), TUN_WITHOUT_HEADER))
    return device
