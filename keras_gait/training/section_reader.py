"""Reads what other programs' YAML files say, key by key, and knows in the end which keys nobody took."""

from keras_gait.errors import GaitError


class SectionReader:
    """Takes keys out of the sections of a YAML file that is no recipe of ours.

    Args:
        content: the file's content, nested dicts.
        path: of the file, for messages.
        without_meaning: section's dotted name ("" is the file itself) -> keys, in one text, that are dropped.
        whole: keys whose value is taken as it is, whatever it holds.
    """

    def __init__(self, content, path, without_meaning, whole=()):
        self.path = path
        self.content = content
        self.without_meaning = without_meaning
        self.whole = whole
        self.taken = set()

    def section(self, name):
        """A section by its dotted name, "" for the whole file; empty where there is none."""
        found = self.content
        self.taken.add(name)  # it may be there without any keys
        for key in name.split(".") if name else []:
            found = found.get(key) or {}
            if not isinstance(found, dict):
                raise GaitError(f"{self.path}: {name} should be a section with keys. Received: {found!r}")
        return found

    def get(self, section, key, default):
        """A key's value, of the type that ``default`` has."""
        self._mark(section, key)
        value = self.section(section).get(key, default)
        if type(value) is not type(default):
            raise GaitError(
                f"{self.path}: {section}.{key} must be of type {type(default).__name__}. Received: {value!r}"
            )
        return value

    def take(self, section, **names):
        """Those of the keys that are there, by our names."""
        found = self.section(section)
        self._mark(section, *names)
        return {ours: found[key] for key, ours in names.items() if key in found}

    def refuse(self, key, known):
        section, _, name = key.rpartition(".")
        found = self.section(section).get(name)
        raise GaitError(f"{self.path}: {key} must be {known} to be trained here. Received: {found!r}")

    def typed(self, name, entries, kind="type"):
        """A list's entries, each with keys, one of them ``kind``."""
        for entry in entries if isinstance(entries, list) else [entries]:
            if not isinstance(entry, dict) or not isinstance(entry.get(kind), str):
                raise GaitError(
                    f"{self.path}: {name} should list keys, each with a {kind}. Received: {entry!r}"
                )
        return entries

    def _mark(self, section, *keys):
        self.taken |= {f"{section}.{key}" if section else key for key in keys}

    def finish(self):
        """Refuse what is neither taken nor without meaning."""
        unknown = [name for name in self._leaves(self.content) if name not in self.taken]
        if unknown:
            raise GaitError(f"unknown keys in {self.path}: {', '.join(unknown)}. Take them out, or mend them")

    def _leaves(self, content, prefix=""):
        dropped = self.without_meaning.get(prefix.removesuffix("."), "").split()
        for key, value in content.items():
            name = f"{prefix}{key}"
            if key in dropped:
                continue
            if isinstance(value, dict) and name not in self.whole:
                yield from self._leaves(value, f"{name}.")
            else:
                yield name
