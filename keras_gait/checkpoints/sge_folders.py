"""What the names of SGE's published folders tell (SGE, sections 6, 8, 10, 13), and where encoders lie.

Models/CAGEs_RN_models/BIWI_LA_RN_ap_6_0.1_0pre_rev_rec/trained_model.ckpt          recognition network
Models/Gait_Encoding_models/BIWI_LA_x_6_0.1_0pre_rev_rec/trained_model.ckpt         encoder of one axis
Models/AGEs_RN_models/BIWI_LA_RN_ap, Models/Gait_Encoding_models/BIWI_LA_x          the version of IJCAI 2020
"""

import re
from dataclasses import dataclass
from pathlib import Path

from keras_gait.errors import GaitError
from keras_gait.files import TF1_MODEL, is_tf1_checkpoint

ENCODERS = "Gait_Encoding_models"
AXES = "xyz"
IJCAI_FRAMES = 6
SUFFIX = r"(_L\d+)?(_test_adj_2|_mid_match)?"  # of the scripts for CASIA-B
NAME = re.compile(
    r"(?P<dataset>.+?)_((?P<attention>LA|BA)_)?((?P<axis>[xyz])|RN_(?P<manner>ap|sc))"
    r"(_(?P<frames>\d+)_(?P<temperature>\d+(\.\d+)?)_(?P<frozen>[01])(?P<between>.*)"
    rf"pre_(?P<model>rev_rec_plus|rev_rec|prediction|sorting){SUFFIX}(_double_.*)?)?"
)


@dataclass(frozen=True)
class PublishedFolder:
    """A folder of published weights, by its name.

    Attributes:
        dataset: "BIWI", "IAS-A". attention: "LA", "BA", or None where an RN of rev_rec_plus has both.
        axis: "x", "y" or "z" of an encoder; None of a recognition network, which has a ``manner``.
        frames: of a sequence. model: pretext task or "rev_rec_plus".
        settings: what stands between the frames and ``pre_``, as text; "" in the version of IJCAI.
    """

    path: Path
    dataset: str
    attention: str | None
    axis: str | None
    manner: str | None
    frames: int
    model: str
    settings: str

    def encoder(self, axis):
        """The checkpoint of the encoder of one axis that goes with this folder.

        The published extraction of features puts the weights of rev_rec into the encoders of all three tasks
        of rev_rec_plus (defect D1), so the recognition network goes with those.

        Raises:
            GaitError: names the folder that is missing.
        """
        task = "rev_rec" if self.model == "rev_rec_plus" else self.model
        dataset = self.dataset.removesuffix("-A").removesuffix("-B") if self.manner else self.dataset
        end = f"_{self.settings}pre_{task}" if self.settings else ""
        place = self.path.parents[1] / ENCODERS
        names = [
            f"{dataset}_{kind}_{axis}{end}" for kind in ([self.attention] if self.attention else ["LA", "BA"])
        ]
        for name in names:
            fitting = re.compile(re.escape(name) + (SUFFIX if end else ""))
            found = sorted(path for path in place.glob(f"{name}*") if fitting.fullmatch(path.name))
            found = [path / TF1_MODEL for path in found if is_tf1_checkpoint(path / TF1_MODEL)]
            if found:
                return found[0]
        raise GaitError(
            f"{self.path.name} goes with the encoders x, y and z, but {place / names[0] / TF1_MODEL} is "
            "missing: put them there; without encoders a recognition network can score the features saved "
            "beside it (val_X.npy) alone, without --datadir"
        )


def parse_folder(path):
    """The `PublishedFolder` of the checkpoint ``path`` ("trained_model.ckpt") by the name of its folder.

    Raises:
        GaitError: it is no name of the published code.
    """
    folder = Path(path).resolve().parent
    match = NAME.fullmatch(folder.name)
    if match is None or not (match["attention"] or match["model"] == "rev_rec_plus"):
        raise GaitError(
            f"{path}: the folder's name {folder.name!r} does not tell what the weights are; expected one of "
            "SGE's, such as BIWI_LA_RN_ap_6_0.1_0pre_rev_rec or BIWI_LA_x_6_0.1_0pre_rev_rec"
        )
    found = match.groupdict()
    settings = "{frames}_{temperature}_{frozen}{between}".format(**found) if found["frames"] else ""
    return PublishedFolder(
        folder,
        found["dataset"],
        found["attention"],
        found["axis"],
        found["manner"],
        int(found["frames"] or IJCAI_FRAMES),
        found["model"] or "rev_rec",
        settings,
    )
