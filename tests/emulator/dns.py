"""The DNS server, over UDP and TCP: Cloud Map's namespaces and plain hosted zones, REFUSED for the rest."""

import contextlib
import socketserver
import struct
import threading

from dnslib import AAAA, CNAME, NS, QTYPE, RCODE, RR, SOA, SRV, TXT, A, DNSError, DNSRecord
from typing_extensions import override

from .answers import CloudMapNames, Found, Record
from .hosted_zones import HostedZoneNames
from .httpd import stop_serving
from .state import State

_PLAIN_UDP = 512


class DnsAnswers:
    """Turns the bytes of a query into the bytes of its answer."""

    def __init__(self, state: State) -> None:
        self._cloud_map = CloudMapNames(state)
        self._zones = HostedZoneNames()

    def answer(self, query: bytes, limit: int | None) -> bytes | None:
        """Return the answer, truncated to *limit* (or what EDNS allows), or None for what is no query."""
        try:
            request = DNSRecord.parse(query)
        except DNSError:
            return None
        if not request.questions:
            return None
        reply = self._reply(request)
        packed = bytes(reply.pack())
        if limit is None:
            return packed
        allowed = max([limit, *(rr.edns_len for rr in request.ar if rr.rtype == QTYPE.OPT)])
        if len(packed) > allowed:
            reply.rr, reply.auth, reply.header.tc = [], [], 1
            packed = bytes(reply.pack())
        return packed

    def _reply(self, request: DNSRecord) -> DNSRecord:
        name = str(request.q.qname).rstrip(".")
        kind = str(QTYPE.get(request.q.qtype, str(request.q.qtype)))
        reply = request.reply(ra=1, aa=1)
        found = self._find(name, kind)
        if found is None:
            reply.header.rcode = RCODE.REFUSED
            reply.header.aa = 0
            return reply
        records = found.records
        if records and records[-1].type == "CNAME" and kind != "CNAME":
            records += self._follow(records[-1].value, kind)
        for record in records:
            reply.add_answer(_resource(record))
        if name.lower() == found.zone.lower() and kind in ("SOA", "NS") and not records:
            reply.add_answer(_apex(found, kind))
        elif not records:
            reply.add_auth(_apex(found, "SOA"))
            reply.header.rcode = RCODE.NOERROR if found.exists else RCODE.NXDOMAIN
        return reply

    def _find(self, name: str, kind: str) -> Found | None:
        """Return the answer of the closest zone that holds *name*."""
        candidates = [f for f in (self._cloud_map.find(name, kind), self._zones.find(name, kind)) if f]
        candidates.sort(key=lambda f: (bool(f.records), len(f.zone), f.exists), reverse=True)
        return candidates[0] if candidates else None

    def _follow(self, name: str, kind: str) -> tuple[Record, ...]:
        found = self._cloud_map.find(name, kind)
        return found.records if found and found.records else self._zones.resolve(name, kind)


def _resource(record: Record) -> RR:
    """Return the wire record. An SRV value is ``priority weight port target``."""
    value = record.value
    match record.type:
        case "A":
            data = A(value)
        case "AAAA":
            data = AAAA(value)
        case "SRV":
            priority, weight, port, target = value.split(" ")
            data = SRV(int(priority), int(weight), int(port), target)
        case "CNAME":
            data = CNAME(value)
        case "NS":
            data = NS(value)
        case "TXT":
            data = TXT(value.strip('"'))
        case _:
            return RR.fromZone(f"{record.name}. {record.ttl} {record.type} {value}")[0]
    return RR(record.name, QTYPE.reverse[record.type], ttl=record.ttl, rdata=data)


def _apex(found: Found, kind: str) -> RR:
    """Return the zone's NS, or its SOA: TTL and minimum are both the time a negative answer is kept."""
    server = "ns-0.awsdns-00.com"
    if kind == "NS":
        return RR(found.zone, QTYPE.NS, ttl=172_800, rdata=NS(server))
    times = (1, 7200, 900, 1_209_600, found.soa_ttl)
    return RR(
        found.zone, QTYPE.SOA, ttl=found.soa_ttl, rdata=SOA(server, "awsdns-hostmaster.amazon.com", times)
    )


class _TcpHandler(socketserver.StreamRequestHandler):
    server: "_TcpServer"

    @override
    def handle(self) -> None:
        with contextlib.suppress(OSError, struct.error):
            while head := self.rfile.read(2):
                answer = self.server.answers.answer(self.rfile.read(struct.unpack("!H", head)[0]), None)
                if answer is None:
                    return
                self.connection.sendall(struct.pack("!H", len(answer)) + answer)


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], answers: DnsAnswers) -> None:
        super().__init__(address, _TcpHandler)
        self.answers = answers


class _UdpHandler(socketserver.BaseRequestHandler):
    server: "_UdpServer"

    @override
    def handle(self) -> None:
        query, channel = self.request
        if answer := self.server.answers.answer(query, _PLAIN_UDP):
            channel.sendto(answer, self.client_address)


class _UdpServer(socketserver.UDPServer):
    """One thread for all queries: each takes well under a millisecond."""

    def __init__(self, address: tuple[str, int], answers: DnsAnswers) -> None:
        super().__init__(address, _UdpHandler)
        self.answers = answers


class DnsServer:
    """Serves UDP and TCP on one port."""

    def __init__(self, address: tuple[str, int], answers: DnsAnswers) -> None:
        self._servers = _bind(address, answers)
        host, port = self._servers[0].server_address[:2]
        self.address = (str(host), int(port))
        self._threads = [
            threading.Thread(target=server.serve_forever, name="emulator-dns", daemon=True)
            for server in self._servers
        ]

    def start(self) -> None:
        """Serve in two threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop serving and close the sockets."""
        for server, thread in zip(self._servers, self._threads, strict=True):
            stop_serving(server)
            thread.join(60)


def _bind(address: tuple[str, int], answers: DnsAnswers) -> tuple[_TcpServer, _UdpServer]:
    """Return a TCP and a UDP server on one port; with port 0, on one that is free for both."""
    for _ in range(20):
        tcp = _TcpServer(address, answers)
        try:
            return tcp, _UdpServer((address[0], tcp.server_address[1]), answers)
        except OSError:
            tcp.server_close()
            if address[1]:
                raise
    raise OSError("No port is free for both UDP and TCP.")
