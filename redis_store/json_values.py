"""How Django's cache writes values into Redis: as JSON, so that reading one never runs anything."""

import json


class JsonValues:
    """Django's serializer of cached values; what JSON does not know is a fault, not a pickle."""

    def dumps(self, value: object) -> bytes | int:
        """Return a value as Redis keeps it; whole numbers as they are, so that they can count."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> object:
        """Return the value; raises ValueError for anything but JSON."""
        return json.loads(data)
