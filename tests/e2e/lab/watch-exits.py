#!/usr/bin/env python3
"""Writes down everything the lab hosts send to the gateway that leads nowhere: what they would have asked the internet.

Usage: watch-exits.py INTERFACE LOG

Run in the lab's network namespace on its bridge, which as an interface sees what is addressed to the gateway (and
broadcasts), not what hosts send each other. One JSON line for every new (source, destination, protocol, port).
"""

import ipaddress
import json
import socket
import struct
import sys
import time

ETH_P_IP = 0x0800
INSIDE = ipaddress.ip_network("10.99.0.0/24")


def main():
    interface, log = sys.argv[1:]
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    packets.bind((interface, ETH_P_IP))
    seen = set()
    with open(log, "a") as out:
        while True:
            packet, address = packets.recvfrom(65535)
            if address[2] == socket.PACKET_OUTGOING or len(packet) < 24:
                continue
            header = (packet[0] & 15) * 4
            source, destination = (ipaddress.ip_address(packet[at:at + 4]) for at in (12, 16))
            # Replies to the lab's own probes, and broadcasts, stay inside.
            if destination in INSIDE and str(destination) != "10.99.0.1" or destination.is_multicast:
                continue
            protocol = {1: "icmp", 6: "tcp", 17: "udp"}.get(packet[9], str(packet[9]))
            source_port, port = struct.unpack("!HH", packet[header:header + 4]) if protocol in ("tcp", "udp") else (0, 0)
            if str(destination) == "10.99.0.1" and not (protocol == "udp" and port == 53):
                continue  # answers to `hosts exec`, which comes from the gateway's address
            flow = (str(source), str(destination), protocol, port)
            if flow not in seen:
                seen.add(flow)
                print(json.dumps({"time": round(time.time(), 3), "from": flow[0], "to": flow[1], "protocol": protocol, "port": port}),
                      file=out, flush=True)


if __name__ == "__main__":
    main()
