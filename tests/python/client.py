"""A second client of the sync protocol, written from docs/PROTOCOL.md: it tries a running server, or the fixtures."""

import argparse
import base64
import hashlib
import http.client
import ipaddress
import json
import os
import socket
import struct
import sys
import time
import urllib.parse
import uuid
import zlib
from pathlib import Path

import cbor2

import ed25519
from siphash import siphash24

CBOR = "application/vnd.hazardloop.sync+cbor"
JSON = "application/vnd.hazardloop.sync+json"
PROBLEM = "application/problem+json"
TIMEOUT_SECONDS = 20
PROTOCOL = 1
PAGE = 50

# The protocol writes a choice as [number, [its values]]; these are the numbers met here.
RECEIPT, ID_REUSED = 0, 1
APPLIED, MERGED, QUARANTINED = 0, 1, 4
BAD_SIGNATURE, BROKEN_CHAIN = 3, 4
UPDATE_PAGE, UPDATE_DROP = 0, 1
DIGEST_MISMATCH = 1
VERIFIED = 1
HAZARD, CHAIN_WITNESSED = 1, 12
REASONS = ["unknown_kind", "unknown_version", "malformed_payload", "bad_signature", "broken_chain",
           "reassigned", "co_signer_revoked",
           "offered_after_revocation"]


class Failure(Exception):
    """A check that does not hold, or a server that answers as the protocol does not say."""


def check(name, came, expected):
    if came != expected:
        raise Failure(f"{name}\n  expected: {expected!r}\n  came:     {came!r}")
    print(f"ok {name}")


# --- bytes and numbers ---

def big_endian(number, size):
    return number.to_bytes(size, "big")


def hash_parts(*parts):
    return hashlib.sha256(b"".join(big_endian(len(part), 8) + part for part in parts)).digest()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def uuid7():
    """Time in front, chance behind (RFC 9562): the ids that the server asks its clients to make."""
    chance = int.from_bytes(os.urandom(10), "big")
    number = now() << 80 | 0x7 << 76 | (chance >> 64 & 0xFFF) << 64 | 0b10 << 62 | chance & (1 << 62) - 1
    return uuid.UUID(int=number).bytes


def now():
    return time.time_ns() // 1_000_000


def rfc3339(milliseconds):
    seconds, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03}Z"


# --- CBOR as the protocol allows it ---

def refuse_foreign(value, level=1):
    """Refuses what cbor2 would take and the protocol does not: tags, floats, null, keys of another type, depth."""
    if level > 16:
        raise Failure("CBOR: more than 16 levels")
    if isinstance(value, dict):
        if any(type(key) is not int for key in value):
            raise Failure(f"CBOR: keys that are no integers: {list(value)!r}")
        for inner in value.values():
            refuse_foreign(inner, level + 1)
    elif isinstance(value, list):
        for inner in value:
            refuse_foreign(inner, level + 1)
    elif type(value) not in (int, str, bytes, bool):
        raise Failure(f"CBOR: a value of a type that the protocol has not: {value!r}")


def encode(value):
    return cbor2.dumps(value, canonical=True)


def decode(data):
    # Double keys, long forms, indefinite lengths and trailing bytes all come out different when written again.
    try:
        value = cbor2.loads(data)
    except cbor2.CBORDecodeError as error:
        raise Failure(f"CBOR\n  expected: a message\n  came:     {data.hex()}: {error}") from error
    refuse_foreign(value)
    if encode(value) != data:
        raise Failure(f"CBOR in canonical form\n  expected: {encode(value).hex()}\n  came:     {data.hex()}")
    return value


def check_own_cbor():
    """That `canonical=True` of cbor2 writes what the protocol asks for, whatever the order of insertion."""
    written = encode({24: 1, 10: b"", 0: 23, 1: [24, 255, 256, 65536, 1 << 32], 2: "é"})
    expected = "a5" "0017" "0185181818ff1901001a000100001b0000000100000000" "0262c3a9" "0a40" "181801"
    check("cbor2 writes shortest forms, definite lengths, ascending keys", written.hex(), expected)
    for name, data in [("a key twice", "a200010002"), ("a long form", "a1001801"), ("a tag", "a100c101"),
                       ("an indefinite length", "a1009fff"), ("trailing bytes", "a1000100"), ("a cut", "a100"),
                       ("a float", "a100f93c00"), ("descending keys", "a201000000")]:
        check(f"decoding refuses {name}", refuses(bytes.fromhex(data)), True)


def refuses(data):
    try:
        decode(data)
    except Failure:
        return True
    return False


# --- requests ---

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Server:
    """Requests to one server on this machine; anywhere else is refused, since this is a test."""

    def __init__(self, base):
        parts = urllib.parse.urlsplit(base)
        self.host, self.port, self.token = parts.hostname, parts.port or 80, None
        addresses = {row[4][0] for row in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)}
        if parts.scheme != "http" or not all(ipaddress.ip_address(address).is_loopback for address in addresses):
            raise Failure(f"{base} is not http on a loopback address")

    def ask(self, method, path, body=None, headers=(), expected=(200,)):
        headers = dict(headers)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        if answer.status not in expected:
            came = f"{answer.status} {answer.body[:500]!r}"
            raise Failure(f"{method} {path}\n  expected: status {expected}\n  came:     {came}")
        return answer

    def ask_json(self, method, path, value=None, expected=(200,)):
        body = None if value is None else json.dumps(value).encode()
        headers = {} if value is None else {"Content-Type": "application/json"}
        return self.ask(method, path, body, headers, expected).json()

    def ask_sync(self, path, body, media_type=CBOR):
        answer = self.ask("POST", path, body, {"Content-Type": media_type, "Accept": media_type})
        if answer.headers["Content-Type"] != media_type:
            came = answer.headers["Content-Type"]
            raise Failure(f"{path}: media type\n  expected: {media_type}\n  came:     {came}")
        return answer.body


def sign_in(server, login, password):
    answer = server.ask_json("POST", "/api/v1/sessions", {"login": login, "password": password}, (201,))
    server.token = answer["access_token"]
    return answer["person"]


def enrol(server, device, person_id):
    """Registers the device's key, and goes on with the token that is bound to the device."""
    proof = device.sign(hash_parts(b"hazardloop enrolment v1", device.install, person_id, device.public_key))
    request = {"install_id": str(uuid.UUID(bytes=device.install)), "device_name": "python client",
               "key_algorithm": "ed25519", "public_key": base64url(device.public_key), "proof": base64url(proof)}
    spoilt = dict(request, proof=base64url(bytes(64)))
    problem = server.ask("POST", "/api/v1/devices", json.dumps(spoilt).encode(),
                         {"Content-Type": "application/json"}, (422,))
    check("a proof that does not fit is refused as a problem document", problem.headers["Content-Type"], PROBLEM)
    answer = server.ask_json("POST", "/api/v1/devices", request, (201,))
    again = server.ask_json("POST", "/api/v1/devices", request, (200,))
    check("the same enrolment again answers with the same device", again["device"]["install_id"], request["install_id"])
    server.token = answer["session"]["access_token"]


# --- commands ---

class Device:
    """An install: its key, and where its chain stands."""

    def __init__(self):
        self.install, self.seed = uuid7(), os.urandom(32)
        self.public_key = ed25519.public_key(self.seed)
        self.seq, self.previous = 0, bytes(32)
        self.boot = uuid.uuid4().bytes

    def sign(self, message):
        return ed25519.sign(self.seed, message)

    def clocks(self):
        """Wall clock, milliseconds of a clock that never jumps, and which boot the latter counts from."""
        return {0: now(), 1: time.monotonic_ns() // 1_000_000, 2: self.boot}

    def link(self, envelope):
        return link_hash(self.install, envelope)

    def seal(self, kind, subject, fields, anchor=None):
        """The next command of the chain; its signature makes it final, so it is sealed only once.
        `anchor`: the server's time and its token, from an answer."""
        clocks = self.clocks()
        if anchor:
            clocks[3], clocks[5] = anchor
        payload = encode({0: clocks, 1: subject, 2: encode(fields)})
        envelope = {0: self.seq + 1, 1: kind, 2: 1, 3: self.previous, 4: payload, 5: 1}
        link = self.link(envelope)
        envelope[6] = self.sign(link)
        self.seq, self.previous = self.seq + 1, link
        return envelope


def head_of(device):
    """How far a device's chain is, signed: the fields of a statement about it."""
    message = head_hash(device.install, device.seq, device.previous)
    return {0: device.seq, 1: device.previous, 2: 1, 3: device.sign(message)}


def head_hash(install, seq, link):
    return hash_parts(b"hazardloop chain head v1", install, big_endian(seq, 8), link)


def link_hash(install, envelope):
    return hash_parts(b"hazardloop command v1", install, big_endian(envelope[0], 8), envelope[1].encode(),
                      big_endian(envelope[2], 2), envelope[3], envelope[4])


def report_fields(enterprise, text):
    employee_report, general = 1, 0
    return {0: employee_report, 1: general, 2: enterprise, 3: text, 4: "python client", 6: now() - 60_000,
            7: [], 8: "no camera allowed here"}


def note_fields(text):
    return {0: text}


def photo_fields(photo):
    scene = 2
    return {0: {0: hashlib.sha256(photo).digest(), 1: len(photo), 2: "image/png", 3: scene, 4: now()}}


def push(server, device, envelopes):
    body = encode({0: PROTOCOL, 1: device.install, 2: envelopes})
    return decode(server.ask_sync("/api/v1/sync/push", body))


def push_json(server, device, envelopes):
    request = {"protocol": PROTOCOL, "install_id": str(uuid.UUID(bytes=device.install)),
               "commands": [envelope_in_json(envelope) for envelope in envelopes]}
    return json.loads(server.ask_sync("/api/v1/sync/push", json.dumps(request).encode(), JSON))


def envelope_in_json(envelope):
    return {"seq": envelope[0], "kind": envelope[1], "version": envelope[2], "previous": envelope[3].hex(),
            "payload": base64url(envelope[4]), "signature_algorithm": envelope[5], "signature": base64url(envelope[6])}


def receipt_in_json(result):
    """The JSON form of a receipt of those outcomes that a good or a quarantined command has."""
    _, [receipt] = result
    outcome, values = receipt[2]
    if outcome == QUARANTINED:
        shown = {"name": "quarantined", "reason": REASONS[values[0]], "detail": values[1]}
    else:
        shown = {"name": {APPLIED: "applied", MERGED: "merged"}[outcome], "version": values[0]}
    return {"receipt": {"seq": receipt[0], "received_at": rfc3339(receipt[1]), "outcome": shown}}


def outcomes(response):
    """(seq, outcome, first value of the outcome) of each receipt."""
    seen = []
    for form, [receipt] in response[4]:
        if form != RECEIPT:
            raise Failure(f"a receipt\n  expected: form {RECEIPT}\n  came:     {[form, receipt]!r}")
        seen.append((receipt[0], receipt[2][0], receipt[2][1][0]))
    return seen


# --- the replica ---

def record_digest(key, record):
    # The parts stand side by side, without their lengths.
    return siphash24(key, big_endian(record[0], 4) + record[1] + big_endian(record[2], 8) + record[3])


class Scope:
    """What one scope holds (`shown`), and the next state while its pages come in (`staged`)."""

    def __init__(self, name):
        self.name, self.cursor, self.shown, self.staged = name, None, {}, None

    def take(self, page, key):
        """Takes a page in; True when it carried a checkpoint that fits, and so is shown."""
        if 0 in page:
            self.staged = {}
        elif self.staged is None:
            self.staged = dict(self.shown)
        for record in page[1]:
            self.staged[record[0], record[1]] = record
        for removal in page[2]:
            self.staged.pop((removal[0], removal[1]), None)
        self.cursor = page[3]
        if 4 not in page:
            return False
        held = summary(self.staged, key)
        if held != page[4]:
            raise Failure(f"checkpoint of {self.name!r}\n  expected: {page[4]!r}\n  came:     {held!r}")
        self.shown, self.staged = self.staged, None
        return True

    def asked(self, key):
        request = {0: self.name}
        if self.cursor is not None:
            request[1] = self.cursor
            # In the middle of a change the device holds no state that any checkpoint is of.
            if self.staged is None:
                request[2] = summary(self.shown, key)
        return request


def summary(records, key):
    """Count and digest, as a checkpoint has them."""
    return {0: len(records), 1: sum(record_digest(key, record) for record in records.values()) % (1 << 64)}


class Replica:
    """The scopes of a device, and the epoch and key under which they came."""

    def __init__(self):
        self.epoch, self.key, self.scopes, self.checked = None, None, {}, set()

    def request(self, install, most):
        asked = {0: PROTOCOL, 1: install, 3: [scope.asked(self.key) for scope in self.scopes.values()], 4: most}
        return asked if self.epoch is None else {**asked, 2: self.epoch}

    def take(self, response):
        self.epoch = response[1]
        self.key = response.get(2, self.key)
        for answer in response[5]:
            name, (form, values) = encode(answer[0]), answer[1]
            if form == UPDATE_DROP:
                self.scopes.pop(name, None)
                continue
            scope = self.scopes.setdefault(name, Scope(answer[0]))
            if scope.take(values[0], self.key):
                self.checked.add(name)

    def records(self, kind):
        return [record for scope in self.scopes.values() for record in scope.shown.values() if record[0] == kind]

    def save(self):
        """What a device would have on its disk between two pulls."""
        return encode({0: self.epoch, 1: self.key, 2: [scope_on_disk(scope) for scope in self.scopes.values()],
                       3: sorted(self.checked)})

    @staticmethod
    def load(data):
        replica, saved = Replica(), decode(data)
        replica.epoch, replica.key, replica.checked = saved[0], saved[1], set(saved[3])
        for kept in saved[2]:
            scope = Scope(kept[0])
            scope.cursor, scope.shown = kept[1], records_by_id(kept[2])
            scope.staged = records_by_id(kept[3]) if 3 in kept else None
            replica.scopes[encode(scope.name)] = scope
        return replica


def scope_on_disk(scope):
    kept = {0: scope.name, 1: scope.cursor, 2: list(scope.shown.values())}
    return kept if scope.staged is None else {**kept, 3: list(scope.staged.values())}


def records_by_id(records):
    return {(record[0], record[1]): record for record in records}


def pull(server, device, replica, most=PAGE):
    response = decode(server.ask_sync("/api/v1/sync/pull", encode(replica.request(device.install, most))))
    sent = sum(len(values[0][1]) for form, values in (answer[1] for answer in response[5]) if form == UPDATE_PAGE)
    if sent > most:
        raise Failure(f"records in one answer\n  expected: {most} at most\n  came:     {sent}")
    replica.take(response)
    return response


def pull_to_the_end(server, device, replica):
    for pages in range(1, 1000):
        if not pull(server, device, replica)[6]:
            return pages
    raise Failure("pull\n  expected: an end\n  came:     1000 answers with `more`")


def unfinished(replica):
    """The scopes in the middle of a change, or never checked."""
    return [scope.name for name, scope in replica.scopes.items()
            if scope.staged is not None or name not in replica.checked]


def summaries(replica):
    return {name: summary(scope.shown, replica.key) for name, scope in replica.scopes.items()}


def hazard_body(replica, hazard):
    found = [record for record in replica.records(HAZARD) if record[1] == hazard]
    if not found:
        raise Failure(f"hazard {hazard.hex()} in the replica\n  expected: one record\n  came:     none")
    return decode(found[0][3])


# --- photos ---

def png(width=48, height=48):
    """A picture that nobody has sent before: noise, eight bits of grey."""
    rows = b"".join(b"\0" + os.urandom(width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        big_endian(len(body), 4) + name + body + big_endian(zlib.crc32(name + body), 4) for name, body in chunks)


TUS = {"Tus-Resumable": "1.0.0"}


def begin_upload(server, photo):
    digest = base64.b64encode(hashlib.sha256(photo).hexdigest().encode()).decode()
    metadata = f"sha256 {digest},filetype {base64.b64encode(b'image/png').decode()}"
    headers = {**TUS, "Upload-Length": str(len(photo)), "Upload-Metadata": metadata}
    return server.ask("POST", "/api/v1/photos", b"", headers, (201,))


def append(server, upload, offset, part):
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return int(server.ask("PATCH", upload, part, headers, (204,)).headers["Upload-Offset"])


def offset_of(server, upload):
    return int(server.ask("HEAD", upload, None, TUS).headers["Upload-Offset"])


def upload_in_halves(server, photo):
    location = urllib.parse.urlsplit(begin_upload(server, photo).headers["Location"]).path
    half = len(photo) // 2
    check("the first half arrives", append(server, location, 0, photo[:half]), half)
    offset = offset_of(server, location)
    check("HEAD says where to go on", offset, half)
    check("the second half completes the photo", append(server, location, offset, photo[offset:]), len(photo))
    again = begin_upload(server, photo).headers
    check("a creation with the same hash says that the server holds the photo",
          again["Upload-Offset"], str(len(photo)))


def wait_until_verified(server, device, replica, hazard, digest):
    # The bytes are checked at once, but the record may follow a moment later.
    for _ in range(40):
        pull_to_the_end(server, device, replica)
        states = {photo[0][0]: photo[2][0] for photo in hazard_body(replica, hazard)[17]}
        if states.get(digest) == VERIFIED:
            break
        time.sleep(0.5)
    check("a later pull shows the photo as verified", states.get(digest), VERIFIED)


# --- the scenario ---

def enterprise_of(person):
    for grant in person["grants"]:
        if "enterprise" in grant["scope"]:
            return uuid.UUID(grant["scope"]["enterprise"]).bytes
    raise Failure(f"an account of an enterprise\n  expected: a grant with one\n  came:     {person['grants']!r}")


def push_good_commands(server, device, enterprise):
    hazard = uuid7()
    batch = [device.seal("report", hazard, report_fields(enterprise, "dust under the beam")),
             device.seal("note", hazard, note_fields("seen again on the way out"))]
    first = push(server, device, batch)
    check("report and note are applied", outcomes(first), [(1, APPLIED, 1), (2, APPLIED, 2)])
    check("`last` is the second command", first[3], 2)
    again = push(server, device, batch)
    check("the same batch again has the same receipts, byte for byte", encode(again[4]).hex(), encode(first[4]).hex())
    shown = push_json(server, device, batch)
    check("the same batch in JSON has the same receipts", shown["results"],
          [receipt_in_json(result) for result in first[4]])
    check("the same epoch in JSON", shown["epoch"], first[1])
    return hazard


def push_in_json(server, device, hazard):
    envelope = device.seal("note", hazard, note_fields("sent as JSON"))
    shown = push_json(server, device, [envelope])
    same = push(server, device, [envelope])
    check("a note pushed as JSON is applied", outcomes(same), [(envelope[0], APPLIED, 3)])
    check("its receipt is the same in CBOR", [receipt_in_json(result) for result in same[4]], shown["results"])


def push_bad_signature(server, device, hazard):
    envelope = device.seal("note", hazard, note_fields("whoever wrote this has another key"))
    envelope[6] = bytes([envelope[6][0] ^ 1]) + envelope[6][1:]
    response = push(server, device, [envelope])
    check("a broken signature is quarantined", outcomes(response), [(envelope[0], QUARANTINED, BAD_SIGNATURE)])
    check("a quarantined command advances `last`", response[3], envelope[0])
    following = device.seal("note", hazard, note_fields("the chain goes on behind it"))
    check("the next command links to the quarantined one", outcomes(push(server, device, [following])),
          [(following[0], APPLIED, 4)])


def push_with_gap(server, device, hazard):
    left_out = device.seal("note", hazard, note_fields("kept back"))
    early = device.seal("note", hazard, note_fields("sent too early"))
    response = push(server, device, [early])
    check("a gap has no results", response[4], [])
    check("a gap says what is expected", response.get(5), left_out[0])
    whole = push(server, device, [left_out, early])
    check("from there on everything is taken", outcomes(whole), [(left_out[0], APPLIED, 5), (early[0], APPLIED, 6)])
    check("`expected` is gone", 5 in whole, False)


def push_used_seq(server, device, hazard):
    twin = Device()
    twin.install, twin.seed = device.install, device.seed
    response = push(server, device, [twin.seal("note", hazard, note_fields("a copy of the phone wrote this"))])
    check("another command with a seq that is taken is IdReused", response[4], [[ID_REUSED, [1]]])
    check("and does not move `last`", response[3], device.seq)


def pull_first(server, device, hazard):
    replica = Replica()
    first = pull(server, device, replica)
    check("the first answer of 50 records is not all", first[6], True)
    # A device that stops here has only what it wrote down.
    replica = Replica.load(replica.save())
    pages = 1 + pull_to_the_end(server, device, replica)
    check(f"resumed from the cursors, {pages} answers reach a checkpoint in each of {len(replica.scopes)} scopes",
          unfinished(replica), [])
    straight = Replica()
    pull_to_the_end(server, device, straight)
    check("a pull without a stop holds the same", summaries(replica), summaries(straight))
    for scope in replica.scopes.values():
        print(f"   scope {scope.name!r}: {len(scope.shown)} records")
    body = hazard_body(replica, hazard)
    check("its own hazard is among the records, with all its notes", (body[8], [note[2] for note in body[18]]),
          ("dust under the beam", ["seen again on the way out", "sent as JSON", "the chain goes on behind it",
                                   "kept back", "sent too early"]))
    return replica


def pull_nothing(server, device, replica):
    response = pull(server, device, replica)
    check("with nothing changed no scope is mentioned", response[5], [])
    check("with nothing changed there is no more", response[6], False)
    check("epoch and last are there", (response[1], response[4]), (replica.epoch, device.seq))
    check("and no digest key, which the device has: only protocol, epoch, time, last, empty lists and an anchor",
          sorted(response), [0, 1, 3, 4, 5, 6, 7, 8])


def pull_repairs(server, device, replica):
    """A checkpoint that differs from the server's is how a device finds out that its replica has gone bad."""
    damaged = Replica.load(replica.save())
    scope = max(damaged.scopes.values(), key=lambda scope: len(scope.shown))
    scope.shown.popitem()
    response = pull(server, device, damaged)
    resets = [values[0].get(0) for form, values in (answer[1] for answer in response[5])]
    check("a checkpoint that does not fit is answered with a reset (digest_mismatch)", resets, [DIGEST_MISMATCH])
    pull_to_the_end(server, device, damaged)
    check("and the scope is whole again", summaries(damaged), summaries(replica))


def send_photo(server, device, replica, hazard):
    photo = png()
    digest = hashlib.sha256(photo).digest()
    envelope = device.seal("attach_photo", hazard, photo_fields(photo))
    response = push(server, device, [envelope])
    check("attach_photo is applied", outcomes(response), [(envelope[0], APPLIED, 7)])
    check("the server says which photo it lacks", response[6], [digest])
    waiting = pull(server, device, replica)
    check("a pull says so too", waiting[7], [digest])
    check("the record says awaiting_photo", [photo[2] for photo in hazard_body(replica, hazard)[17]], [[0, []]])
    upload_in_halves(server, photo)
    wait_until_verified(server, device, replica, hazard, digest)
    check("no photo is lacking any more", pull(server, device, replica)[7], [])


def event_proofs(server, hazard):
    answer = server.ask_json("GET", f"/api/v1/hazards/{uuid.UUID(bytes=hazard)}/events?limit=100")
    return [event["time_proof"] for event in answer["items"]]


def prove_time(base, server, device, credentials, hazard):
    """A second phone, which has seen the first one's chain, comes home before it."""
    second_server, second = Server(base), Device()
    person = sign_in(second_server, *credentials)
    enrol(second_server, second, uuid.UUID(person["id"]).bytes)
    contact = push(server, device, [])
    anchor = (contact[2], contact[7])
    seen = device.seal("note", hazard, note_fields("seen by another phone"), anchor)
    statement = second.seal("witness", device.install, head_of(device))
    unseen = device.seal("note", hazard, note_fields("written after that"))
    response = push(second_server, second, [statement])
    check("a statement is applied, with version 0", outcomes(response), [(1, APPLIED, 0)])
    home = rfc3339(response[2])
    late = push(server, device, [seen, unseen])
    check("what was seen arrives later", [seq for seq, _, _ in outcomes(late)], [seen[0], unseen[0]])
    witnessed, received = event_proofs(server, hazard)[-2:]
    check("it is proven for when the other phone came home",
          (witnessed["level"], witnessed["proven_at"], witnessed["received_at"]), ("witnessed", home, rfc3339(late[2])))
    check("by that phone", (witnessed["witnessed_by"]["install_id"], witnessed["witnessed_by"]["seq"]),
          (str(uuid.UUID(bytes=second.install)), 1))
    check("what was written after that is not", (received["level"], received["proven_at"]),
          ("received", rfc3339(late[2])))
    check("both were made after the contact whose anchor the first of them shows",
          (witnessed["not_before"], received["not_before"]), (rfc3339(anchor[0]),) * 2)
    replica = Replica()
    pull_to_the_end(server, device, replica)
    told = [decode(record[3]) for record in replica.records(CHAIN_WITNESSED)]
    check("the owner's phone is told", [(one[0][1], one[1][2]) for one in told if one[0][0] == device.install],
          [(seen[0], 1)])


def run_scenario(base, login, password):
    check_own_cbor()
    server, device = Server(base), Device()
    person = sign_in(server, login, password)
    check("signed in", person["login"], login)
    enrol(server, device, uuid.UUID(person["id"]).bytes)
    hazard = push_good_commands(server, device, enterprise_of(person))
    push_in_json(server, device, hazard)
    push_bad_signature(server, device, hazard)
    push_with_gap(server, device, hazard)
    push_used_seq(server, device, hazard)
    replica = pull_first(server, device, hazard)
    pull_nothing(server, device, replica)
    pull_repairs(server, device, replica)
    send_photo(server, device, replica, hazard)
    prove_time(base, server, device, (login, password), hazard)


# --- the fixtures ---

# The seed behind the signatures of push-request.cbor.
FIXTURE_SEED = bytes([7]) * 32


def check_round_trips(folder):
    files = sorted(folder.glob("*.cbor"))
    if not files:
        raise Failure(f"fixtures in {folder}\n  expected: *.cbor\n  came:     none")
    for file in files:
        data = file.read_bytes()
        check(f"{file.name} byte for byte", encode(decode(data)).hex(), data.hex())


def check_chain(folder):
    request = decode((folder / "push-request.cbor").read_bytes())
    twin = json.loads((folder / "push-request.json").read_text())
    check("push-request.json says the same", [envelope_in_json(envelope) for envelope in request[2]], twin["commands"])
    previous = bytes(32)
    for envelope in request[2]:
        link = link_hash(request[1], envelope)
        check(f"push-request, seq {envelope[0]}: previous, signature",
              (envelope[3].hex(), envelope[6].hex()), (previous.hex(), ed25519.sign(FIXTURE_SEED, link).hex()))
        previous = link


def check_co_signature(folder):
    payload = decode((folder / "command-confirm-co-signed.cbor").read_bytes())
    twin = json.loads((folder / "command-confirm-co-signed.json").read_text())
    [signed] = payload[3]
    statement = hash_parts(b"hazardloop co-signature v1", bytes([signed[3]]), b"confirm", big_endian(1, 2), payload[1],
                           payload[2], signed[0], signed[1], big_endian(signed[2], 8))
    check("co-signature: fields", payload[2].hex(), from_base64url(twin["fields"]).hex())
    check("co-signature: statement", statement.hex(), twin["statement"])
    check("co-signature: verifies", ed25519.verify(from_base64url(twin["public_key"]), statement, signed[4]), True)


def check_proof_of_time(folder):
    request = decode((folder / "push-request.cbor").read_bytes())
    install, last = request[1], request[2][-1]
    payload = decode((folder / "witness.cbor").read_bytes())
    twin = json.loads((folder / "witness.json").read_text())
    head = decode(payload[2])
    check("witness: of the chain in push-request", (payload[1], head[0], head[1]),
          (install, last[0], link_hash(install, last)))
    message = head_hash(install, head[0], head[1])
    check("witness: signed by the device of that chain", head[3].hex(), ed25519.sign(FIXTURE_SEED, message).hex())
    check("witness.json says the same", (twin["seq"], twin["link_hash"]), (head[0], head[1].hex()))
    shown = json.loads((folder / "shown-head.json").read_text())["text"]
    check("shown-head: its text is prefix and bytes", shown,
          "hlw1." + base64url((folder / "shown-head.cbor").read_bytes()))
    told = decode((folder / "record-chain-witnessed.cbor").read_bytes())
    twin = json.loads((folder / "record-chain-witnessed.json").read_text())
    digest = bytearray(hash_parts(b"hazardloop chain witnessed v1", told[1][0], big_endian(told[1][2], 8))[:16])
    digest[6], digest[8] = digest[6] & 0x0f | 0x80, digest[8] & 0x3f | 0x80
    check("record-chain-witnessed: its id", twin["id"], str(uuid.UUID(bytes=bytes(digest))))


def check_receipts(folder):
    response = decode((folder / "push-response.cbor").read_bytes())
    twin = json.loads((folder / "push-response.json").read_text())
    met = [at for at, (form, [receipt]) in enumerate(response[4])
           if form == RECEIPT and receipt[2][0] in (APPLIED, MERGED, QUARANTINED)]
    check("push-response.json says the same of the outcomes that the scenario meets",
          [receipt_in_json(response[4][at]) for at in met], [twin["results"][at] for at in met])


def run_fixtures(folder):
    check_round_trips(folder)
    check_chain(folder)
    check_co_signature(folder)
    check_proof_of_time(folder)
    check_receipts(folder)


def main():
    parser = argparse.ArgumentParser(description="Tries a server of the sync protocol, or its fixtures.")
    parser.add_argument("--fixtures", type=Path, metavar="DIR", help="check the examples in this folder instead")
    parser.add_argument("server", nargs="*", metavar="BASE_URL LOGIN PASSWORD")
    arguments = parser.parse_args()
    if bool(arguments.fixtures) == bool(arguments.server) or len(arguments.server) not in (0, 3):
        parser.error("either --fixtures DIR or BASE_URL LOGIN PASSWORD")
    try:
        if arguments.fixtures:
            run_fixtures(arguments.fixtures)
        else:
            run_scenario(*arguments.server)
    except (Failure, OSError, http.client.HTTPException, ValueError) as failure:
        print(f"FAILED {failure}")
        return 1
    print("everything holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
