"""The reports that every system gets: the same words, places and times, in one order."""

import csv
import random
import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[3] / "catalog" / "samples" / "hazard-corpus.tsv"
# Every report is of one of these enterprises in turn, so that moving half of them moves half of the rows.
FIRMS = 20
MOVED_FIRMS = FIRMS // 2
REASON = "防爆区内不得使用手机"
BEGIN_MS = 1_767_196_800_000
NUMBER = re.compile(r"第(\d+)号$")


@dataclass(frozen=True)
class Report:
    """What somebody in the field fills in."""

    number: int
    firm: int
    place: str
    description: str
    longitude: float
    latitude: float
    accuracy_m: int
    found_ms: int

    @property
    def moves(self) -> bool:
        """Whether it is among those that town A hands to town B."""
        return self.firm < MOVED_FIRMS

    @property
    def id(self) -> str:
        """The same in every run."""
        return str(uuid.UUID(int=random.Random(-1 - self.number).getrandbits(128), version=4))

    def as_json(self, firm_id: str, reporter: str, town: str) -> dict[str, Any]:
        """The shape that the peers' users would give it; ours has one of its own."""
        return {
            "number": self.number, "town": town, "enterprise_id": firm_id, "source": "grid", "grade": "general",
            "description": self.description, "place": self.place,
            "position": {"longitude": self.longitude, "latitude": self.latitude, "reference": "wgs84",
                         "accuracy_m": self.accuracy_m},
            "found_at": rfc3339(self.found_ms), "no_photo_reason": REASON, "reported_by": reporter,
            "status": "reported"}


def rfc3339(milliseconds: int) -> str:
    """As all three write times in JSON."""
    seconds, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03}Z"


def reports(count: int) -> list[Report]:
    """The first `count`: a corpus text, half of another one, and a number, so that no two are alike."""
    with CORPUS.open(encoding="utf-8", newline="") as file:
        corpus = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    made = []
    for number in range(count):
        dice = random.Random(number)
        first, second = corpus[number % len(corpus)], dice.choice(corpus)
        rest = second["description"].partition("，")[2]
        made.append(Report(
            number=number, firm=number % FIRMS, place=first["place"],
            description=f"{first['description']}，{rest}，第{number}号",
            longitude=round(105.5 + dice.random() / 5, 6), latitude=round(29.4 + dice.random() / 5, 6),
            accuracy_m=dice.randrange(3, 30), found_ms=BEGIN_MS + number * 60_000 + dice.randrange(60_000)))
    return made


def number_in(description: str) -> int:
    """Which report a text found on a device or server is of."""
    found = NUMBER.search(description)
    if not found:
        raise ValueError(f"no report of ours: {description!r}")
    return int(found[1])
