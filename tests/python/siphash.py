"""SipHash-2-4 with 64 bits of output, after Aumasson and Bernstein, for the digests of scopes."""

import sys

MASK = (1 << 64) - 1


def rotate(number, bits):
    return (number << bits | number >> 64 - bits) & MASK


def sip_round(a, b, c, d):
    a = (a + b) & MASK
    b = rotate(b, 13) ^ a
    a = rotate(a, 32)
    c = (c + d) & MASK
    d = rotate(d, 16) ^ c
    a = (a + d) & MASK
    d = rotate(d, 21) ^ a
    c = (c + b) & MASK
    b = rotate(b, 17) ^ c
    return a, b, rotate(c, 32), d


def siphash24(key, message):
    """The hash as a number; its bytes in the paper's order are this number, little-endian."""
    first, second = (int.from_bytes(key[at:at + 8], "little") for at in (0, 8))
    state = (first ^ 0x736F6D6570736575, second ^ 0x646F72616E646F6D,
             first ^ 0x6C7967656E657261, second ^ 0x7465646279746573)
    padding = bytes(7 - len(message) % 8) + bytes([len(message) & 0xFF])
    padded = message + padding
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at:at + 8], "little")
        a, b, c, d = state
        a, b, c, d = sip_round(*sip_round(a, b, c, d ^ word))
        state = (a ^ word, b, c, d)
    a, b, c, d = state
    state = (a, b, c ^ 0xFF, d)
    for _ in range(4):
        state = sip_round(*state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


# The authors' vectors: key 00..0f, message 00..n-1; n and the eight bytes that come out.
VECTORS = [(0, "310e0edd47db6f72"), (1, "fd67dc93c539f874"), (2, "5a4fa9d909806c0d"),
           (7, "37d1018bf50002ab"), (8, "6224939a79f5f593"), (15, "e545be4961ca29a1")]


def check_vectors():
    for length, expected in VECTORS:
        came = siphash24(bytes(range(16)), bytes(range(length))).to_bytes(8, "little").hex()
        if came != expected:
            print(f"SipHash of {length} bytes: expected {expected}, came {came}")
            return 1
        print(f"ok SipHash-2-4 vector of {length} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(check_vectors())
