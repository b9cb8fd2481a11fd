"""Who is compared with whom: the evaluation protocols of the data sets, as a table of types of walks.

A protocol is an entry of `PROTOCOLS`. Views and subjects come from the data, so that sets with fewer
views than the published one are evaluated by the same rule.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from keras_gait.errors import GaitError


class Setting(NamedTuple):
    """A row of a protocol's table: the types of its probes and of its gallery, as regular expressions.

    An expression fits a whole type ("nm-01", see ``GaitDataset.types``). A walk that fits both is gallery.
    """

    name: str
    probe: str
    gallery: str


@dataclass(frozen=True)
class Protocol:
    """How a data set is evaluated.

    Attributes:
        settings: the rows of the table; one without a name is a row for all probes.
        views: "pairs": probes of each view are compared with each gallery view on its own, and the mean
            leaves out equal views; "all": with the gallery of all views; "none": views do not matter.
        left_out: what a probe's ranking of the whole gallery leaves out: sequences of its "view", those of
            its own subject in its view ("own"), or nothing ("").
        ranks: those told of the whole gallery. view_ranks: up to which rank each gallery view is told.
        equal_views: whether the mean with equal views is told, too.
        count_unknown: a probe whose subject is not in the gallery counts as not found, else not at all.
        other_conditions: probes of conditions that no setting has get a row of their own.
        listed_probes: the probes are those that the data set lists, the gallery is the rest.
        view_end: where the name of the view ends in the data set's, "" where it is the whole.
        without_views: views that are not evaluated.
    """

    name: str
    settings: tuple
    views: str = "pairs"
    left_out: str = "view"
    ranks: tuple = (1, 5)
    view_ranks: int = 1
    equal_views: bool = False
    count_unknown: bool = True
    other_conditions: bool = False
    listed_probes: bool = False
    view_end: str = ""
    without_views: tuple = ()

    @property
    def conditions(self):
        return tuple(setting.name for setting in self.settings)

    @property
    def own_galleries(self):
        """Whether the gallery is another from row to row."""
        return len({setting.gallery for setting in self.settings}) > 1

    def view_names(self, dataset):
        """Names of the sequences' views ``(n,)``."""
        if not self.view_end:
            return dataset.view
        return np.array([view.split(self.view_end)[0] for view in dataset.view.tolist()], dtype=str)

    def divide(self, dataset):
        """Masks ``(n,)`` of the gallery and the probes of a data set that holds both; they may overlap."""
        if self.listed_probes:
            probe = listed(dataset)
            return ~probe, probe
        gallery, probe = np.zeros((2, len(dataset)), bool)
        for setting in self.settings:
            known = fitting(setting.gallery, dataset.types)
            gallery |= known
            probe |= fitting(setting.probe, dataset.types) & ~known
        if self.other_conditions:
            probe = ~gallery
        seen = ~np.isin(dataset.view, self.without_views)
        return gallery & seen, probe & seen


def rows_for(gallery, **probes):
    """Settings with one gallery, from name to the types of the probes."""
    return tuple(Setting(name, probe, gallery) for name, probe in probes.items())


def _word(word):
    """Types that have a word between dashes: "03-oc-nt" has "oc" and "nt"."""
    return rf"(.*-)?{word}(-.*)?"


_SUSTECH1K = {
    "Normal": "01-nm",
    "Bag": "bg",
    "Clothing": "cl",
    "Carrying": "cr",
    "Umbrella": "ub",
    "Uniform": "uf",
    "Occlusion": "oc",
    "Night": "nt",
    "Overall": "(01|02|03|04)",
}
_CASIAE = {name: rf"[HL]-scene(2|3|3_s)-{name}-0?[12]" for name in ("nm", "bg", "cl")}

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "casia-b",
            rows_for("nm-0[1-4]", nm="nm(-.*)?", bg="bg(-.*)?", cl="cl(-.*)?"),
            other_conditions=True,
            equal_views=True,
        ),
        Protocol("oumvlp", (Setting("", "00", "01"),)),
        # GaitGraph2 turns gallery and probes round, and counts equal views
        Protocol("oumvlp-pose", (Setting("", "01", "00"),), equal_views=True),
        Protocol("casia-e", rows_for("[HL]-scene1-nm-0?[12]", **_CASIAE), without_views=("270",)),
        Protocol(
            "sustech1k",
            rows_for(_word("00-nm"), **{name: _word(word) for name, word in _SUSTECH1K.items()}),
            view_ranks=5,
        ),
        Protocol(
            "gait3d",
            (Setting("", ".*", ".*"),),
            views="none",
            left_out="",
            ranks=(1, 5, 10),
            count_unknown=False,
            listed_probes=True,
        ),
        Protocol(
            "ccpg",
            (
                Setting("CL", "U0_D0(_BG)?", "U1_D1|U2_D2|U3_D3"),
                Setting("UP", "U3_D3", "U0_D3"),
                Setting("DN", "U1_D0", "U1_D1"),
                Setting("BG", "U0_D0_BG", "U0_D0"),
            ),
            left_out="own",
            equal_views=True,
            view_end="_",
        ),
        Protocol("grew", (Setting("", "02", "01"),), views="none", left_out="", ranks=(1, 5, 10, 20)),
    )
}

#: The variant in which a probe is compared with the gallery of all views and conditions at once.
CROSS_VIEW_GALLERY = {
    "casia-b": Protocol(
        "casia-b, cross-view gallery",
        rows_for("(nm|bg|cl)-02", nm="nm-01", bg="bg-01", cl="cl-01"),
        views="all",
        left_out="own",
    ),
    "oumvlp": Protocol("oumvlp, cross-view gallery", (Setting("", "00", "01"),), views="all", left_out="own"),
}

#: Whom the GREW challenge asks for, whose probes nobody has the names of.
GREW_CHALLENGE = Protocol("grew challenge", (Setting("", "03", "01|02"),), views="none", left_out="")


#: Skeletons: everyone of the test set is among the people of the training set, which is the gallery.
CLOSED_SET = Protocol("closed set", (Setting("", ".*", ".*"),), views="none", left_out="", ranks=(1, 5, 10))


def fitting(pattern, types):
    """Mask ``(n,)`` of the ``types`` that a regular expression fits as a whole."""
    names, which = np.unique(types, return_inverse=True)
    return np.array([bool(re.fullmatch(pattern, name)) for name in names.tolist()], bool)[which]


def listed(dataset):
    """Mask ``(n,)`` of the sequences that ``dataset.json`` lists as probes."""
    names = dataset.info.get("probe_set")
    if not names:
        raise GaitError(
            f"{dataset.path} does not list its probes, which the protocol gait3d needs: convert it again "
            "with the partition file that has PROBE_SET, or give two data sets by --gallery and --probe"
        )
    triples = zip(dataset.subject.tolist(), dataset.types.tolist(), dataset.view.tolist(), strict=True)
    return np.isin(["-".join(triple) for triple in triples], names)


def protocol_for(dataset):
    """The protocol that fits a probe set: by its layout, its conditions, or by whether it has views."""
    layout = dataset.info.get("layout")
    if layout in PROTOCOLS:
        return PROTOCOLS[layout]
    if set(dataset.condition) & set(PROTOCOLS["casia-b"].conditions):
        return PROTOCOLS["casia-b"]
    return PROTOCOLS["oumvlp" if any(dataset.view) else "grew"]


def with_cross_view_gallery(protocol):
    """A protocol's variant of `CROSS_VIEW_GALLERY`."""
    if protocol.name not in CROSS_VIEW_GALLERY:
        raise GaitError(
            f"the protocol {protocol.name} has no cross-view gallery, only {', '.join(CROSS_VIEW_GALLERY)} "
            "have: leave --cross_view_gallery out"
        )
    return CROSS_VIEW_GALLERY[protocol.name]
