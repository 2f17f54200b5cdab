"""Corpora by name, and which holds whose volumes; read from the files that plugins register.

An entry point of the group `voxbench.corpora` names a TOML file inside a package:
`mine = "mypackage:corpora.toml"`. A sweep has such tables below `corpora`. Each is a corpus:

    [LUNA16]
    kind = ["CT"]
    parents = ["LIDC-IDRI"]     # corpora that volumes were taken from
    perhaps = []                # the same, without proof
    complete = true             # false: it holds more than the parents and its own
    aliases = ["luna"]          # other spellings; case and punctuation never matter
    source = "where that is said"
    checked = true              # false: from memory, not looked up
"""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata, resources

from pydantic import ValidationError

from voxbench.design.corpus import Corpus
from voxbench.design.toml import parse_toml
from voxbench.errors import PluginError, SpecError, first_rule, unknown
from voxbench.registry import failure


class Corpora:
    """All registered corpora.

    Attributes:
        all: in the order of their names.
        broken: file that is left out → why.

    Raises:
        PluginError: two share a name, one names an unknown corpus, or descends from itself.
    """

    def __init__(self, found: Iterable[Corpus], broken: Mapping[str, str] | None = None) -> None:
        self.broken = broken or {}
        self._by_name: dict[str, Corpus] = {}
        self.all: tuple[Corpus, ...] = tuple(sorted(found, key=lambda c: c.name.casefold()))
        for corpus in self.all:
            for name in {_plain(name) for name in (corpus.name, *corpus.aliases)}:
                other = self._by_name.setdefault(name, corpus)
                if other is not corpus:
                    raise PluginError(
                        f"corpora {other.name!r} and {corpus.name!r} share the name {name!r}: "
                        "rename one."
                    )
        for corpus in self.all:
            for name in (*corpus.parents, *corpus.perhaps):
                self.find(name, f"corpus {corpus.name!r}: ")
            if corpus.name in self.closure(corpus.parents, suspected=True):
                raise PluginError(f"corpus {corpus.name!r} is its own ancestor; see its parents.")

    def find(self, name: str, context: str = "") -> Corpus:
        """The corpus of a name or alias; case, spaces and punctuation don't matter.

        Raises:
            PluginError: there is none; names the nearest.
        """
        try:
            return self._by_name[_plain(name)]
        except KeyError:
            known = [other.name for other in self.all]
            raise PluginError(context + unknown("corpus", name, known)) from None

    def knows(self, name: str) -> bool:
        """Whether a name or alias is registered."""
        return _plain(name) in self._by_name

    def closure(self, names: Iterable[str], *, suspected: bool = False) -> set[str]:
        """Canonical names of the corpora and of all that volumes of them come from.

        Args:
            names: where to start.
            suspected: follow `perhaps` too.

        Raises:
            PluginError: a name is unknown.
        """
        seen: set[str] = set()
        waiting = [self.find(name) for name in names]
        while waiting:
            corpus = waiting.pop()
            if corpus.name not in seen:
                seen.add(corpus.name)
                further = corpus.parents + (corpus.perhaps if suspected else ())
                waiting += [self.find(name) for name in further]
        return seen


def read_corpora(text: str, origin: str) -> list[Corpus]:
    """Read the tables of a file.

    Raises:
        PluginError: it is no TOML, or a table breaks a rule.
    """
    try:
        tables = parse_toml(text, origin)
    except SpecError as error:
        raise PluginError(str(error)) from None
    found = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise PluginError(f"{origin}: {name}: expected a table of a corpus, got {table!r}.")
        if "name" in table:
            raise PluginError(f"{origin}: {name}: name: is the table's own name; leave it out.")
        try:
            found.append(Corpus(name=name, **table))
        except ValidationError as error:
            raise PluginError(f"{origin}: {name}: {first_rule(error)}.") from None
    return found


@cache
def corpora(own: tuple[Corpus, ...] = ()) -> Corpora:
    """Every corpus that an installed package registers, and those of a sweep.

    Raises:
        PluginError: one of the sweep's shares a name, or names an unknown corpus as a parent.
    """
    if not own:
        return registered()
    known = corpora()
    return Corpora([*known.all, *own], known.broken)


def check_own(own: tuple[Corpus, ...]) -> None:
    """Look whether the corpora of a sweep can be registered.

    Raises:
        SpecError: as `corpora`.
    """
    try:
        corpora(own)
    except PluginError as error:
        raise SpecError(f"corpora: {error}") from None


def registered() -> Corpora:
    """Every corpus that an installed package registers.

    A file of others that can't be read, breaks a rule or contradicts the rest is left out, and
    `broken` says why; its names are unknown then, and no verdict about them is clean.
    """
    entries = metadata.entry_points(group=_GROUP)
    told = sorted(entries, key=lambda e: (not e.dist or e.dist.name != "voxbench", e.value))
    waiting = dict.fromkeys(entry.value for entry in told)
    broken: dict[str, str] = {}
    found: list[Corpus] = []
    accepted = True
    while accepted:  # a file may name the corpora of another
        accepted = False
        for origin in list(waiting):
            try:
                more = [*found, *_read(origin)]
                Corpora(more)
            except PluginError as error:
                broken[origin] = str(error)
            else:
                found, accepted = more, True
                del waiting[origin]
                broken.pop(origin, None)
    return Corpora(found, broken)


_GROUP = "voxbench.corpora"


def _read(origin: str) -> list[Corpus]:
    """The corpora of a file, as `package:file`.

    Raises:
        PluginError: it is missing or broken.
    """
    package, _, file = origin.partition(":")
    try:
        text = (resources.files(package) / file).read_text(encoding="utf-8")
    except Exception as error:  # noqa: BLE001 (a stranger's package may raise anything)
        raise PluginError(f"{_GROUP}: {origin} can't be read ({failure(error)}).") from None
    return read_corpora(text, origin)


def _plain(name: str) -> str:
    """A name without case, punctuation and spaces, in whatever letters it is written."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in folded if letter.isalnum()) or folded
