"""Syncs a real device with a real server over links that are slow, lossy and cut: what arrives, and what is sent again.

    sudo python3 tests/python/shaped_link.py --programs target/release [--only NAME | --only all] [--out FILE]

Server and device live in network namespaces of their own; their packets pass through this program by two TUN devices
(so that packets, not connections, are delayed and lost). A counter in front of the server sees the bytes of HTTP that
arrive there; the links count IP packets. Nothing leaves this machine. Needs root, /dev/net/tun, iproute2 and
util-linux; without them it says so and ends with 77.
"""

import argparse
import fcntl
import heapq
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

LEFT_OUT = 77
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
SERVER, DEVICE, PORT = "10.77.0.1", "10.77.0.2", 8080
# What a slow modem's driver keeps before it drops, seconds of sending.
QUEUE_SECONDS = 8
# Reports without photos, and photos (each with a report of its own).
REPORTS, PHOTOS, PHOTO_BYTES = 20, 2, 60_000
# So many that a link of 300 kbit/s is cut several times meanwhile.
MANY_PHOTOS = 12
# Reports that are there before anything is measured: a first pull fetches these, and what was sent meanwhile.
STANDING = 300
# What one cut may cost: the chunk of a photo, or the page of a pull, that is under way, and the requests around it. On
# a slow link they shrink to what passes in some seconds, and the chunk of the fast ones would be no bound.
CHUNK_BYTES, CHUNK_SECONDS, AROUND_BYTES = 256 * 1024, 8, 2_048
# How long a first pull has been going when the first cut comes.
PULLS_BEFORE_CUT = 2.5
PASSWORD = "hazardloop-demo"
# Pieces of sentences, so that no two reports are the same.
PLACES = ["打磨车间", "抛光工位", "喷漆房", "配电室", "危化品库", "空压机房", "污水处理池", "锅炉房", "叉车充电区", "除尘器"]
FACTS = ["积尘未清理", "泄爆口被堵", "接地线脱落", "气体探测器失效", "安全阀超期未检", "动火未审批", "通风停用", "护栏缺失"]
ACTS = ["已责令停机", "现场无人监护", "员工未经培训", "标识已褪色", "台账缺三日", "应急灯不亮"]


@dataclass
class Profile:
    """How a link treats packets; bits a second and delay hold for each way."""

    name: str
    bits: int | None = None
    delay: float = 0.0
    loss: float = 0.0
    cut_every: float | None = None
    cut_for: float = 4.0
    mtu: int = 1280
    # Fast enough that few photos would be through before the first cut.
    many: bool = False
    # Takes a quarter of an hour: only when asked for.
    long: bool = False

    def most_again(self):
        """Bytes that one cut may cause to be sent again."""
        passing = CHUNK_BYTES if self.bits is None else self.bits // 8 * CHUNK_SECONDS
        return min(CHUNK_BYTES, passing) + AROUND_BYTES


PROFILES = [
    Profile("nothing in the way"),
    Profile("9.6 kbit/s, 700 ms there and back, 5 % lost", 9_600, 0.35, 0.05, mtu=576),
    Profile("300 kbit/s, 600 ms there and back, 5 % lost", 300_000, 0.3, 0.05),
    Profile("300 kbit/s, 600 ms, cut every 20 s", 300_000, 0.3, 0.0, cut_every=20, many=True),
    Profile("9.6 kbit/s, 700 ms, 5 % lost, cut every 20 s", 9_600, 0.35, 0.05, cut_every=20, mtu=576, long=True),
]


def end(socket_fd, address, other):
    """Runs inside a new network namespace: makes its end, hands it out, and stays until it is told to go."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"hl0", IFF_TUN | IFF_NO_PI))
    for line in (f"addr add {address} peer {other} dev hl0", "link set lo up", "link set hl0 up"):
        subprocess.run(["ip", *line.split()], check=True)
    channel = socket.socket(fileno=socket_fd)
    socket.send_fds(channel, [b"tun"], [tun])
    channel.recv(1)


class Namespace:
    """One end of the link."""

    def __init__(self, address, other):
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, __file__, "--end", str(theirs.fileno()), address, other],
            pass_fds=[theirs.fileno()])
        theirs.close()
        self.channel = ours
        ours.settimeout(20)
        _, descriptors, _, _ = socket.recv_fds(ours, 16, 1)
        self.tun = descriptors[0]

    def command(self, *words):
        """`words`, to be run in it."""
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net", *map(str, words)]

    def close(self):
        self.channel.close()
        self.process.wait(20)
        os.close(self.tun)


class Link(threading.Thread):
    """Carries packets between two TUN devices as a profile says."""

    def __init__(self, ends, seed):
        super().__init__(daemon=True)
        self.ends, self.dice = ends, random.Random(seed)
        self.profile, self.begun = PROFILES[0], time.monotonic()
        self.free_at, self.passed, self.lost = [0.0, 0.0], [0, 0], 0
        self.due, self.number, self.cuts, self.is_cut = [], 0, 0, False
        self.on_cut, self.going = lambda: None, True

    def take(self, profile, cut_in=None):
        """Begins to treat packets in another way; the first of its cuts comes in so many seconds."""
        for tun in self.ends:
            os.set_blocking(tun, False)
        self.profile, self.begun = profile, time.monotonic()
        if cut_in is not None and profile.cut_every:
            self.begun -= profile.cut_every - profile.cut_for - cut_in
        self.free_at, self.passed, self.lost, self.cuts = [0.0, 0.0], [0, 0], 0, 0

    def run(self):
        while self.going:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else 0.05
            ready, _, _ = select.select(self.ends, [], [], min(wait, 0.05))
            now = time.monotonic()
            self.look_for_cut(now)
            for way, tun in enumerate(self.ends):
                if tun in ready:
                    self.read(way, tun, now)
            while self.due and self.due[0][0] <= now:
                _, _, way, packet = heapq.heappop(self.due)
                self.passed[way] += len(packet)
                try:
                    os.write(self.ends[1 - way], packet)
                except OSError:
                    self.lost += 1

    def look_for_cut(self, now):
        every = self.profile.cut_every
        cut = every is not None and (now - self.begun) % every > every - self.profile.cut_for
        if cut and not self.is_cut:
            self.cuts += 1
            self.due.clear()
            self.on_cut()
        self.is_cut = cut

    def read(self, way, tun, now):
        try:
            packet = os.read(tun, 65_536)
        except OSError:
            return
        if self.is_cut or self.dice.random() < self.profile.loss:
            self.lost += 1
            return
        at = now
        if self.profile.bits:
            begins = max(now, self.free_at[way])
            if begins - now > QUEUE_SECONDS:
                self.lost += 1
                return
            at = self.free_at[way] = begins + len(packet) * 8 / self.profile.bits
        self.number += 1
        heapq.heappush(self.due, (at + self.profile.delay, self.number, way, packet))


def count(listen, target, report):
    """Stands before the server and counts what arrives; SIGUSR1 breaks every connection, as a lost network does."""
    host, port = target.split(":")
    up, down, requests, streams, lock = [0], [0], [0], set(), threading.Lock()

    def note():
        Path(report + ".new").write_text(json.dumps({"up": up[0], "down": down[0], "requests": requests[0]}))
        os.replace(report + ".new", report)

    def pump(source, sink, counter, is_request):
        try:
            while data := source.recv(65_536):
                with lock:
                    counter[0] += len(data)
                    if is_request:
                        requests[0] += len(re.findall(rb"(?:GET|POST|PATCH|HEAD|DELETE) /\S* HTTP/1\.1\r\n", data))
                    note()
                sink.sendall(data)
        except OSError:
            pass
        for stream in (source, sink):
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def break_all(*_):
        with lock:
            for stream in list(streams):
                try:
                    # A reset, which the other side does not see while the network is gone.
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    stream.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            streams.clear()

    signal.signal(signal.SIGUSR1, break_all)
    note()
    listener = socket.create_server((listen, PORT))
    while True:
        client, _ = listener.accept()
        behind = socket.create_connection((host, int(port)))
        with lock:
            streams.update((client, behind))
        threading.Thread(target=pump, args=(client, behind, up, True), daemon=True).start()
        threading.Thread(target=pump, args=(behind, client, down, False), daemon=True).start()


def photo(path, number):
    """A JPEG that the server takes, unlike every other: a comment of random bytes in a small real one."""
    small = (Path(__file__).parent.parent / "fixtures" / "polishing-fan.jpg").read_bytes()
    filling = random.Random(number).randbytes(PHOTO_BYTES - len(small) - 4)
    path.write_bytes(small[:2] + b"\xff\xfe" + struct.pack(">H", len(filling) + 2) + filling + small[2:])


class Scene:
    """A demo server and one device, with a link between them."""

    def __init__(self, programs, folder, link, server_end, device_end):
        self.programs, self.folder, self.link = programs, folder, link
        self.server_end, self.device_end, self.reports, self.phones = server_end, device_end, 0, 0
        self.stats, self.who = folder / "stats", ("employee", "home")
        environment = os.environ | {"HAZARDLOOP_PASSWORD": PASSWORD, "HAZARDLOOP_DEVICE_KEYS": str(folder / "keys")}
        self.environment = environment
        (folder / "keys").mkdir(mode=0o700)
        self.server = subprocess.Popen(
            server_end.command(programs / "hazardloop", "--data-dir", folder / "data", "serve", "--demo",
                               "--listen", "127.0.0.1:9000"),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.server.stdout:
            if "127.0.0.1:9000" in line:
                break
        threading.Thread(target=self.server.stdout.read, daemon=True).start()
        self.counter = subprocess.Popen(
            server_end.command(sys.executable, __file__, "--count", SERVER, "127.0.0.1:9000", self.stats))
        while not self.stats.exists():
            time.sleep(0.02)
        link.on_cut = lambda: self.counter.send_signal(signal.SIGUSR1)

    def device(self, *words):
        user, home = self.who
        line = self.device_end.command(
            self.programs / "hazardloop-device", "--home", self.folder / home, "--server",
            f"http://{SERVER}:{PORT}", "--user", user, *words)
        return subprocess.run(line, env=self.environment, capture_output=True, text=True, timeout=3_600)

    def ok(self, *words):
        done = self.device(*words)
        if done.returncode != 0:
            raise SystemExit(f"hazardloop-device {words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def counted(self):
        return json.loads(self.stats.read_text())

    def queue(self, with_photo):
        self.reports += 1
        dice = random.Random(self.reports)
        text = f"{dice.choice(PLACES)}{dice.randrange(1, 40)}号{dice.choice(FACTS)}，{dice.choice(ACTS)}，第{self.reports}次报告，限期整改并复查"
        words = ["report", "--place", dice.choice(PLACES), "--text", text]
        if with_photo:
            path = self.folder / f"photo-{self.reports}.jpg"
            photo(path, self.reports)
            words += ["--photo", path]
        else:
            words += ["--no-photo-reason", "防爆区内不得使用手机"]
        self.ok(*words)

    def stand(self):
        """What is there before anything is measured."""
        for _ in range(STANDING):
            self.queue(with_photo=False)
        self.until_nothing_is_left(time.monotonic() + 600)

    def another(self):
        """Goes on with a new phone of somebody who sees everything, and that holds nothing yet."""
        self.phones += 1
        self.who = ("supervisor", f"home-{self.phones}")
        self.ok("enroll")

    def held(self):
        """How many hazards the phone holds."""
        shown = json.loads(self.ok("list", "--json"))
        return len(shown["items"] if isinstance(shown, dict) else shown)

    def left(self):
        status = json.loads(self.ok("status", "--json"))
        assert status["needs_attention"] == 0, status
        return status["on_device"] + status["photos_on_device"]

    def until_nothing_is_left(self, deadline):
        """How many runs of `sync` it took."""
        for runs in range(1, 1_000):
            code = self.device("sync").returncode
            if code == 0 and self.left() == 0:
                return runs
            if time.monotonic() > deadline:
                break
        raise SystemExit(f"{self.link.profile.name}: {self.left()} things have not left the device in time")

    def close(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(30)
        self.counter.kill()
        self.counter.wait()


def measure(scene, link, profile, what, patience):
    """Queues what is to be sent without network, then syncs it over the link; `PULL`: a new phone's first sync."""
    link.take(PROFILES[0])
    if what is PULL:
        scene.another()
    else:
        for with_photo in what:
            scene.queue(with_photo)
    before = scene.counted()
    for namespace in (scene.server_end, scene.device_end):
        subprocess.run(namespace.command("ip", "link", "set", "hl0", "mtu", profile.mtu), check=True)
    link.take(profile, cut_in=PULLS_BEFORE_CUT if what is PULL else None)
    begun = time.monotonic()
    runs = scene.until_nothing_is_left(begun + patience)
    took, after = time.monotonic() - begun, scene.counted()
    row = {name: after[name] - before[name] for name in ("up", "down", "requests")}
    return row | {"took": took, "runs": runs, "packets_up": link.passed[1], "packets_down": link.passed[0],
                  "cuts": link.cuts, "lost": link.lost}


PULL = "pull"


def table(name, rows):
    lines = [f"\n### {name}\n",
             "| link | HTTP up | HTTP down | IP up | IP down | requests | packets lost | cuts | runs of sync | s | sent again a cut |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for profile, row in rows:
        again = "-" if not row["cuts"] else f"{row['again'] // row['cuts']:,}"
        lines.append(
            f"| {profile.name} | {row['up']:,} | {row['down']:,} | {row['packets_up']:,} | {row['packets_down']:,} "
            f"| {row['requests']} | {row['lost']} | {row['cuts']} | {row['runs']} | {row['took']:.0f} | {again} |")
    return "\n".join(lines)


def play(programs, chosen, patience):
    folder = Path(tempfile.mkdtemp(prefix="hl-link-"))
    server_end, device_end = Namespace(SERVER, DEVICE), Namespace(DEVICE, SERVER)
    link = Link([server_end.tun, device_end.tun], seed=1)
    link.take(PROFILES[0])
    link.start()
    scene = Scene(programs, folder, link, server_end, device_end)
    tables = ["## Over thin links"]
    try:
        scene.ok("enroll")
        scene.ok("sync")
        scene.stand()
        many = [profile for profile in chosen if profile.many]
        few = [profile for profile in chosen if not profile.many]
        for name, what, profiles in (
                (f"{REPORTS} reports without photos, after a time without network", [False] * REPORTS, chosen),
                (f"{PHOTOS} reports with a photo of {PHOTO_BYTES:,} bytes each", [True] * PHOTOS, few),
                (f"{MANY_PHOTOS} such reports", [True] * MANY_PHOTOS, PROFILES[:1] + many if many else []),
                ("the first sync of a phone of somebody who sees all of them", PULL, chosen)):
            rows = []
            for profile in profiles:
                row = measure(scene, link, profile, what, patience)
                # What travels the other way is asked for again with it.
                way = "down" if what is PULL else "up"
                clean = rows[0][1][way] if rows else row[way]
                row["again"] = max(0, row[way] - clean)
                rows.append((profile, row))
                print(f"{profile.name}: {row}", file=sys.stderr)
                if row["cuts"] and row["again"] > row["cuts"] * profile.most_again():
                    most = profile.most_again()
                    raise SystemExit(f"{profile.name}: more than {most} bytes were sent again a cut: {row}")
                if what is PULL and (held := scene.held()) < scene.reports:
                    raise SystemExit(f"{profile.name}: {scene.reports} were reported, {held} are on the phone")
            if rows:
                tables.append(table(name, rows))
    finally:
        scene.close()
        link.going = False
        link.join(5)
        for namespace in (server_end, device_end):
            namespace.close()
        shutil.rmtree(folder, ignore_errors=True)
    return "\n".join(tables) + "\n"


def missing():
    """What keeps this from running here, or `None`."""
    if os.geteuid() != 0:
        return "not root"
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    for program in ("ip", "unshare", "nsenter"):
        if shutil.which(program) is None:
            return f"no {program}"
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        return "network namespaces are not allowed"
    return None


def main():
    if sys.argv[1:2] == ["--end"]:
        return end(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    if sys.argv[1:2] == ["--count"]:
        return count(*sys.argv[2:5])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, required=True, help="where hazardloop and hazardloop-device are")
    parser.add_argument("--only", help="beside the clean link, only those whose name holds this; all: the longest too")
    parser.add_argument("--patience", type=float, default=1_800, help="seconds that one link may take")
    parser.add_argument("--out", type=Path, help="where the tables go beside standard output")
    wish = parser.parse_args()
    if why := missing():
        print(f"thin links are left out: {why}", file=sys.stderr)
        return LEFT_OUT
    def asked(profile):
        if wish.only == "all":
            return True
        return wish.only in profile.name if wish.only else not profile.long

    chosen = PROFILES[:1] + [profile for profile in PROFILES[1:] if asked(profile)]
    tables = play(wish.programs.resolve(), chosen, wish.patience)
    print(tables)
    if wish.out:
        wish.out.write_text(tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
