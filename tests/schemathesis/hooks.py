"""How schemathesis writes the bodies of this API that are not JSON: the generated value as raw bytes."""

import json

import schemathesis


@schemathesis.serializer(
    "application/offset+octet-stream",
    "application/vnd.hazardloop.sync+cbor",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/zip",
    "text/csv",
)
def raw(_context, value):
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, list):
        return bytes(item & 0xFF if isinstance(item, int) else 0xFF for item in value)
    return json.dumps(value, default=str).encode()
