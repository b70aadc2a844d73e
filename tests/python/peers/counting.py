"""A proxy on the loopback that counts what passes: requests, bytes of bodies, bytes with everything around them.

One and the same stands before every server, so that what is counted does not depend on who counts.
"""

import asyncio
import threading
import zlib
from dataclasses import dataclass, field

# A proxy that is left running must not fill this machine's memory: beyond these it breaks the connection.
MOST_CONNECTIONS = 128
MOST_KEPT = 256 * 1024 * 1024
MOST_HEADER = 256 * 1024
CHUNK = 65_536


@dataclass
class Way:
    """One direction: `body` without headers and framing, `all` with them."""

    body: int = 0
    all: int = 0
    messages: int = 0
    gzipped: int = 0


@dataclass
class Counted:
    """What passed since the last look."""

    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)


class Messages:
    """Finds the ends of HTTP/1.1 messages in a stream, by length or chunks; keeps bodies to compress them later."""

    def __init__(self, counter: "Counter", is_up: bool, requests: list[bytes]):
        self.counter, self.is_up, self.requests = counter, is_up, requests
        self.buffer, self.left, self.chunked, self.body, self.coded = b"", 0, False, bytearray(), False

    def feed(self, data: bytes) -> None:
        self.counter.passed(self.is_up, len(data))
        self.buffer += data
        while self.step():
            pass

    def step(self) -> bool:
        """Takes one piece off the buffer; False when more must come first."""
        if self.left:
            taken, self.buffer = self.buffer[:self.left], self.buffer[self.left:]
            self.left -= len(taken)
            self.body += taken
            if not self.left and not self.chunked:
                self.end()
            return bool(taken)
        end_of = b"\r\n" if self.chunked else b"\r\n\r\n"
        head, found, rest = self.buffer.partition(end_of)
        if not found:
            if len(self.buffer) > MOST_HEADER:
                raise ValueError("a header without an end")
            return False
        if self.chunked:
            return self.chunk(head, rest)
        self.buffer = rest
        self.begin(head)
        return True

    def chunk(self, head: bytes, rest: bytes) -> bool:
        if not head:  # The line that ends the chunk before.
            self.buffer = rest
            return True
        size = int(head.partition(b";")[0], 16)
        if size:
            self.left, self.buffer = size, rest
            return True
        if not rest.startswith(b"\r\n"):
            return False
        self.buffer, self.chunked = rest[2:], False
        self.end()
        return True

    def begin(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        fields = {name.strip().lower(): value.strip().lower()
                  for name, _, value in (line.partition(b":") for line in lines)}
        self.coded, self.body = b"content-encoding" in fields, bytearray()
        if self.is_up:
            self.requests.append(first.partition(b" ")[0])
            bodiless = False
        else:
            status = int(first.split(b" ")[1])
            if status == 100:
                return
            asked = self.requests.pop(0) if self.requests else b""
            bodiless = asked == b"HEAD" or status in (204, 304)
        if not bodiless and fields.get(b"transfer-encoding", b"").endswith(b"chunked"):
            self.chunked = True
            return
        self.left = 0 if bodiless else int(fields.get(b"content-length", b"0"))
        if not self.left:
            self.end()

    def end(self) -> None:
        self.counter.message(self.is_up, bytes(self.body), self.coded)
        self.body = bytearray()


class Counter:
    """The proxy, in a thread of its own."""

    def __init__(self, target_port: int):
        self.target, self.port, self.connections, self.kept = target_port, 0, 0, 0
        self.lock, self.ready = threading.Lock(), threading.Event()
        self.counted, self.bodies = Counted(), []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        if not self.ready.wait(20):
            raise RuntimeError("the counting proxy does not start")

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.close()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)

    def passed(self, is_up: bool, size: int) -> None:
        with self.lock:
            (self.counted.up if is_up else self.counted.down).all += size

    def message(self, is_up: bool, body: bytes, coded: bool) -> None:
        with self.lock:
            way = self.counted.up if is_up else self.counted.down
            way.messages += 1
            way.body += len(body)
            self.kept += len(body)
            if self.kept > MOST_KEPT:
                raise ValueError("more passed between two looks than this counter keeps")
            self.bodies.append((is_up, body, coded))

    def take(self) -> Counted:
        """What passed since the last look. Bodies are compressed only now, so that it costs no phase any time."""
        with self.lock:
            counted, bodies = self.counted, self.bodies
            self.counted, self.bodies, self.kept = Counted(), [], 0
        for is_up, body, coded in bodies:
            small = len(body) if coded or not body else min(len(body), len(zlib.compress(body, 6)) + 12)
            (counted.up if is_up else counted.down).gzipped += small
        return counted

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self.connections > MOST_CONNECTIONS:
                return
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self.target)
            requests: list[bytes] = []
            await asyncio.gather(
                self.pump(reader, behind_writer, Messages(self, True, requests)),
                self.pump(behind_reader, writer, Messages(self, False, requests)))
        except OSError:
            pass
        finally:
            self.connections -= 1
            writer.close()

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, messages: Messages) -> None:
        try:
            while data := await source.read(CHUNK):
                messages.feed(data)
                sink.write(data)
                await sink.drain()
        finally:
            sink.close()
