"""A real SuperLink on this machine, with TLS and keys, and nodes that obey or do not."""

import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from flwr.app import Error, Message, RecordDict
from flwr.app.message import make_message
from flwr.supercore.inflatable.inflatable_object import (
    get_all_nested_objects,
    get_object_tree,
    iterate_object_tree,
)
from flwr.supercore.inflatable.inflatable_utils import (
    inflate_object_from_contents,
    pull_objects,
)
from flwr.supernode.fleet_http_connection import http_request_response

ROOT = Path(__file__).parents[2]
BUNDLED = (
    "client",
    "conf",
    "photos",
    "privacy",
    "protocol",
    "ranking",
    "server",
    "simulations",
)
WORDS = ("pyproject.toml", "LICENSE", "README.md", ".gitignore")
Behaviour = Callable[[Message], Message | None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def copy_of_the_app(folder: Path) -> Path:
    """A checkout that Flower takes for an app; its folder's name is one that Flower allows."""
    copy = folder / "darkroom"
    copy.mkdir()
    for name in BUNDLED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in WORDS:
        shutil.copy(ROOT / name, copy / name)
    return copy


def environment(home: Path) -> dict[str, str]:
    """What Flower's processes are born with: nothing is fetched, reported or shared."""
    return dict(os.environ) | {
        "FLWR_HOME": str(home),
        "FLWR_LOCAL_SUPERLINK_HTTP_API_PORT": str(free_port()),
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "UV_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": "",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def end_processes_of(home: Path) -> None:
    """Ends every process that was born with this FLWR_HOME: Flower's outlive their parents."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            born_with = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"FLWR_HOME={home}".encode() in born_with:
            os.kill(int(folder.name), signal.SIGKILL)


class Deployment:
    """A SuperLink that knows the keys of ``nodes`` nodes and no others."""

    def __init__(self, folder: Path, *, nodes: int) -> None:
        self.folder = folder
        self.app = copy_of_the_app(folder)
        self.home = folder / "flower-home"
        self.home.mkdir()
        self.environment = environment(self.home)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.certificate = _certificates(folder)
        self.keys = [_key(folder / f"node-{number}") for number in range(nodes)]
        self.started: list[subprocess.Popen[bytes]] = []

    def begin(self) -> None:
        (self.home / "config.toml").write_text(
            '[superlink]\ndefault = "here"\n[superlink.here]\n'
            f'address = "{self.address}"\nroot-certificates = "{self.certificate}"\n'
        )
        words = ["--ssl-ca-certfile", str(self.certificate)]
        words += ["--ssl-certfile", str(self.folder / "server.pem")]
        words += ["--ssl-keyfile", str(self.folder / "server.key"), "--enable-supernode-auth"]
        words += ["--disable-runtime-dependency-installation", "--host", "127.0.0.1"]
        self.process("superlink", "flower-superlink", *words, "--port", str(self.port))
        until(lambda: _answers(self.port), 90, "the SuperLink")
        for number in range(len(self.keys)):
            self.flwr("supernode", "register", str(self.folder / f"node-{number}.pub"), "here")

    def process(self, log: str, *words: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{log}.log").open("ab") as file:
            begun = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=file, stderr=file
            )
        self.started.append(begun)
        return begun

    def supernode(self, number: int, node_config: str) -> "subprocess.Popen[bytes]":
        words = ["--root-certificates", str(self.certificate), "--superlink", self.address]
        words += ["--auth-supernode-private-key", str(self.folder / f"node-{number}")]
        words += ["--port", str(free_port()), "--node-config", node_config]
        return self.process(f"supernode-{number}", "flower-supernode", *words)

    def flwr(self, *words: str, timeout: float = 240) -> str:
        done = subprocess.run(
            ["flwr", *words],
            cwd=self.app,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, config: Path, *, timeout: float = 480) -> str:
        """Runs the app and returns what the server logged."""
        words = ["run", ".", "here", "--stream", "--run-config", str(config)]
        return self.flwr(*words, timeout=timeout)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        for process in self.started:
            process.kill()
        end_processes_of(self.home)
        for process in self.started:
            process.wait()


class OwnNode:
    """A node with a key of its own and a program of its own: what a hostile one has.

    It answers by ``behaviour``; the sender that it writes into a reply is its own affair, and
    what it tells the link is true, for a lie there is found.
    """

    def __init__(self, deployment: Deployment, number: int, behaviour: Behaviour) -> None:
        self._given = (deployment.address, str(deployment.certificate), deployment.keys[number])
        self._behaviour = behaviour
        self._end = threading.Event()
        self.node_id = 0
        self.online = threading.Event()
        self.failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "OwnNode":
        self.begin()
        assert self.online.wait(60), "a node did not come"
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(self) -> None:
        """Has the node come, once."""
        if not self._thread.is_alive() and not self._end.is_set():
            self._thread.start()

    def end(self, *, wait: bool = True) -> None:
        self._end.set()
        if wait:
            self._thread.join(60)
        if self.failures:
            raise AssertionError("a node failed") from self.failures[0]

    def _serve(self) -> None:
        address, certificate, key = self._given
        pair = (key, key.public_key())
        certificates = Path(certificate).read_bytes()
        with http_request_response(
            address, insecure=False, root_certificates=certificates, authentication_keys=pair
        ) as link:
            self.node_id = link[0]
            self.online.set()
            while not self._end.is_set():
                try:
                    if not self._one(*link[1:]):
                        time.sleep(0.2)
                except Exception as failure:
                    self.failures.append(failure)
                    time.sleep(0.2)

    def _one(self, receive, send, _run, _fab, pull, push, confirm) -> bool:
        found = receive()
        if found is None:
            return False
        outer, tree = found
        run = outer.metadata.run_id
        names = [one.object_id for one in iterate_object_tree(tree)]
        contents = pull_objects(names, pull_object_fn=lambda name: pull(run, name))
        confirm(run, tree.object_id)
        message = inflate_object_from_contents(tree.object_id, contents)
        assert isinstance(message, Message)
        message.metadata.__dict__["_message_id"] = tree.object_id
        message.metadata.__dict__["_dst_node_id"] = self.node_id
        reply = self._behaviour(message)
        if reply is not None:
            self._send(reply, message, send=send, push=push)
        return True

    def _send(self, reply: Message, message: Message, *, send, push) -> None:
        objects = get_all_nested_objects(reply)
        true = Message(Error(100, ""), reply_to=message).metadata
        true.__dict__["_message_id"] = reply.object_id
        outer = make_message(metadata=true, content=RecordDict())
        wanted, session = send(outer, get_object_tree(reply), 0.0)
        run = message.metadata.run_id
        for name, one in objects.items():
            if name in wanted:
                push(run, session, name, one.deflate())


def until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.2)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP384R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    path.with_suffix(".pub").write_bytes(public)
    return key


def _certificates(folder: Path) -> Path:
    """An authority's certificate, and one that it signed for this machine."""
    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    itself = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Darkroom's tests")])
    here = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )

    def signed(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_ca: bool):
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(itself)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if not is_ca:
            made = made.add_extension(names, critical=False)
        return made.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM)

    (folder / "ca.crt").write_bytes(signed(itself, authority, is_ca=True))
    (folder / "server.pem").write_bytes(signed(here, server, is_ca=False))
    (folder / "server.key").write_bytes(
        server.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return folder / "ca.crt"
