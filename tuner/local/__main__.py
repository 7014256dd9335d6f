"""The server process: ``python -m tuner.local --state-root DIR``.

It prints one line of JSON when it is ready, serves until it is told to stop, and then cleans up. Told to stop
means SIGTERM, SIGINT, or with ``--with-parent`` the end of its standard input: whoever started it holds the other
end of that pipe, so the server ends when its parent does, however the parent dies.

With ``--key-from-stdin`` the first line of standard input is an access key id and a secret, separated by a space:
arguments and environment of a process can be read by others, a pipe cannot.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tuner.local.fault_plan import FaultPlan, read_fault_plan
from tuner.local.policy import read_policy
from tuner.local.sandbox import CREDENTIALS
from tuner.local.service import Options, Service
from tuner.local.signature import AccessKey
from tuner.local.simulation import Simulation, read_simulation
from tuner.local.throttle import MECHANISMS


def main() -> None:
    arguments = _parser().parse_args()
    options = Options(
        state_root=arguments.state_root.resolve(),  # handlers run in folders of their own
        port=arguments.port,
        region=arguments.region,
        state_delay_s=arguments.state_delay_ms / 1000,
        throttle=arguments.throttle,
        simulation=read_simulation(arguments.simulate) if arguments.simulate else Simulation(),
        credentials={name: os.environ[name] for name in CREDENTIALS & os.environ.keys()}
        if arguments.pass_credentials
        else {},
        calibrate=arguments.calibrate,
        key=_key(sys.stdin.readline()) if arguments.key_from_stdin else None,
        policy=read_policy(arguments.policy) if arguments.policy else None,
        faults=read_fault_plan(arguments.faults) if arguments.faults else FaultPlan(),
    )
    asyncio.run(_serve(options, with_parent=arguments.with_parent))


async def _serve(options: Options, *, with_parent: bool) -> None:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, told_to_stop.set)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), _on_parent, told_to_stop)
    service = Service(options)
    try:
        await service.start()
        sys.stdout.write(json.dumps(service.about()) + "\n")
        sys.stdout.flush()
        await told_to_stop.wait()
    finally:
        await service.stop()


def _key(line: str) -> AccessKey:
    access_key_id, _, secret_access_key = line.rstrip("\n").partition(" ")
    return AccessKey(access_key_id=access_key_id, secret_access_key=secret_access_key)


def _on_parent(told_to_stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        told_to_stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tuner.local", description="The embedded Lambda of tuner.")
    parser.add_argument("--state-root", type=Path, required=True, help="folder for packages and temporary files")
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 chooses a free one")
    parser.add_argument("--region", default="us-east-1", help="region in ARNs and in AWS_REGION")
    parser.add_argument("--state-delay-ms", type=float, default=50.0, help="how long Pending and InProgress last")
    parser.add_argument("--throttle", choices=MECHANISMS, help="how to limit CPU; the best available by default")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="fault plan (JSON): calls that go wrong")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="IAM policy (JSON): what callers may do")
    parser.add_argument("--simulate", type=Path, metavar="FILE", help="simulated hosts, network, arm64 (JSON)")
    parser.add_argument("--calibrate", action="store_true", help="measure how true the CPU limit is, about 1 s")
    parser.add_argument("--pass-credentials", action="store_true", help="hand AWS_* credentials to the handlers")
    parser.add_argument("--key-from-stdin", action="store_true", help="check signatures against 'ID SECRET'")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input ends")
    return parser


if __name__ == "__main__":
    main()
