"""What recipes can say: every key of every way of training, with its default, and what it may hold."""

from types import MappingProxyType
from typing import NamedTuple

from keras_gait.evaluation.distances import METRICS

SEED = 232323

# What every run can be told.
RUN = {
    "experdir": "runs",
    "prefix": "",
    "save_epoch": 10,
    "mixed_precision": False,
    "multi_gpu": 0,
    "init_net": None,
    "seed": SEED,
    "verbose": 1,
}

# What supervised training (triplet and cross-entropy on clips) can be told, with AttenGait's defaults.
SUPERVISED = {
    "method": "attengait",
    "data": {
        "datadir": None,
        "nclasses": None,
        "leave_out_views": False,
        "cut": False,
    },
    "model": {},
    "sampler": {
        "pk": False,
        "p": 8,
        "k": 16,
        "batch_size": 64,
        "frames": 30,
        "shuffled": False,
        "varying_length": False,
        "repeat": False,
    },
    "augmentation": {"mixup_rate": 0.25, "cutmix_rate": 0.25, "published": True},
    "losses": {
        "margin": 0.2,
        "soft": False,
        "normalise": None,
        "adaptive": False,
        "cross_weight": 0.0,
    },
    "optimizer": {"name": "Adam", "learning_rate": 1e-4, "weight_decay": 1e-5},
    "schedule": {"name": "constant", "warmup_epochs": 20},
    "train": RUN | {"epochs": 75, "extra_epochs": 25, "save_epoch": 100},
    "evaluation": {"metric": "L1", "knn": 1, "min_frames": 30},
}


# What OpenGait's way of training can be told (triplet and cross-entropy on sequences of frames), with the
# defaults of SkeletonGait.
OPENGAIT = {
    "method": "skeletongait",
    "data": {"datadir": None, "nclasses": None, "channels": None},
    "model": {},
    "sampler": {
        "p": 8,
        "k": 16,
        "order": "ordered",
        "lengths": "fixed",
        "frames": 30,
        "skip": 4,
        "frames_min": 25,
        "frames_max": 50,
    },
    "augmentation": {
        "perspective": 0.0,
        "affine": 0.0,
        "flip": 0.0,
        "rotate": 0.0,
        "erasing": 0.0,
        "rotate_degree": 10.0,
        "rotate_centre": "published",
    },
    "losses": {"margin": 0.2, "cross_weight": 1.0, "scale": 16.0, "smoothing": 0.1},
    "optimizer": {"name": "SGD", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 5e-4},
    "schedule": {"name": "multistep", "milestones": [20000, 40000, 50000], "gamma": 0.1},
    "train": RUN | {"iterations": 60000, "steps_per_epoch": 1000},
    "evaluation": {
        "protocol": None,
        "metric": "parts",
        "knn": 1,
        "min_frames": 1,
        "rerank": False,
        "cross_view_gallery": False,
    },
}


# What GaitGraph's way of training can be told (contrast of whole pose sequences), with the defaults of
# GaitGraph2.
GAITGRAPH = {
    "method": "gaitgraph2",
    "data": {"datadir": None, "nclasses": None, "keypoints": None},
    "model": {},
    "sampler": {"pk": False, "p": 8, "k": 16, "batch_size": 768},
    "augmentation": {
        "flip_sequence": 0.5,
        "flip_lr": 0.5,
        "mirror": 0.0,
        "joint_noise": 0.1,
        "point_noise": 0.05,
        "random_move": [3.0, 1.0],
        "shuffle": False,
        "noise": "uniform",
        "views": 1,
    },
    "losses": {"name": "supcon", "temperature": 0.01},
    "optimizer": {"name": "AdamW", "learning_rate": 0.005, "weight_decay": 1e-5},
    "schedule": {"name": "onecycle"},
    "averaging": {"start": None, "rate": None, "anneal_epochs": 10},
    "train": RUN | {"epochs": 200, "validation_subjects": 0, "validate_every": 5},
    "evaluation": {"protocol": None, "metric": "cosine", "knn": 1, "min_frames": 1, "tta": True},
}

# What SGE's way of training can be told (encoders of skeletons, one for each axis and pretext task, then a
# recognition network on their features), with the defaults of BIWI.
SGE = {
    "method": "sge",
    "data": {"datadir": None, "nclasses": None, "dataset": None, "length": None, "view": None},
    "model": {},
    "sampler": {"batch_size": 128, "published": False},
    "losses": {"temperature": None, "pairs": "published", "l2": 0.02, "decay": "published"},
    "optimizer": {"learning_rate": 5e-4, "clip": 5.0},
    "schedule": {"name": "plateau"},
    "recognition": {"epochs": 300, "batch_size": 128, "learning_rate": 5e-4},
    "train": {key: RUN[key] for key in RUN if key != "init_net"}
    | {
        "epochs": 400,
        "save_epoch": 100,
        "selection": "held-out",
        "held_out": 0.1,
        "transfer": None,
        "stage": 1,
    },
    "evaluation": {"metric": "L2", "knn": 1},
}


# What SelfGait's way of training can be told (two views of a walk and a momentum target, triplets of labelled
# walks, or both in turn), with the defaults of its pre-training on CASIA-B.
SELFGAIT = {
    "method": "selfgait",
    "data": {
        "datadir": None,
        "nclasses": None,
        "channels": None,
        "leave_out": [],
        "label_rate": None,
        "label_by": "subjects",
    },
    "model": {},
    "sampler": {"pk": True, "p": 8, "k": 16, "batch_size": 128, "frames": 30, "repeat": False},
    "augmentation": {
        "flip": 0.5,
        "crop": 0.0,
        "crop_scale": [0.08, 1.0],
        "crop_ratio": [3 / 4, 4 / 3],
        "jitter": 0.0,
        "strength": 1.0,
        "blur": 0.0,
        "blur_sigma": [0.1, 2.0],
        "draw": "clip",
    },
    "losses": {
        "name": "byol",
        "cosine": "strips",
        "margin": 0.2,
        "triplets": "full",
        "triplet_every": 5,
    },
    "target": {"frames": "same", "momentum": 0.996, "schedule": "constant"},
    "optimizer": {"name": "SGD", "learning_rate": 0.03, "momentum": 0.9, "weight_decay": 4e-4},
    "schedule": {"name": "multistep", "milestones": [], "gamma": 0.1},
    "train": RUN
    | {"iterations": 10000, "steps_per_epoch": 500, "validation_subjects": 0, "validate_every": 1},
    "evaluation": OPENGAIT["evaluation"],
}


class Method(NamedTuple):
    """A published system.

    Attributes:
        way: the module of `keras_gait.training` that says how it is trained.
        settings: all that its recipes can say, with the defaults.
        model: its model's class in `keras_gait.models`.
        least: its own part of `LEAST`.
    """

    way: str
    settings: dict
    model: str
    least: dict = MappingProxyType({})


METHODS = {
    "attengait": Method(
        "attengait", SUPERVISED, "AttenGait", {"sampler.frames": 16}
    ),  # of its temporal pyramid
    "skeletongait": Method("opengait", OPENGAIT, "SkeletonGait"),
    "skeletongaitplusplus": Method("opengait", OPENGAIT, "SkeletonGaitPlusPlus"),
    "gaitset": Method("opengait", OPENGAIT, "GaitSet"),
    "gaitpart": Method("opengait", OPENGAIT, "GaitPart"),
    "gaitgl": Method("opengait", OPENGAIT, "GaitGL"),
    "gaitbase": Method("opengait", OPENGAIT, "GaitBase"),
    "gaitgraph2": Method("gaitgraph", GAITGRAPH, "GaitGraph2"),
    "gaitgraph": Method("gaitgraph", GAITGRAPH, "GaitGraph"),
    "stgcn": Method("gaitgraph", GAITGRAPH, "STGCN"),
    "sge": Method("sge", SGE, "SGE", {"sampler.batch_size": 2}),  # contrast of neighbours
    "selfgait": Method("selfgait", SELFGAIT, "SelfGait"),
}


# Further types of keys, beside that of the default: null, or a number in place of a list.
OPTIONAL = {
    "data.datadir": (str,),
    "data.nclasses": (int,),
    "data.channels": (list, tuple),
    "data.keypoints": (str,),
    "data.dataset": (str,),
    "data.length": (int,),
    "data.view": (int,),
    "data.label_rate": (float,),
    "averaging.start": (float,),
    "averaging.rate": (float,),
    "augmentation.random_move": (int, float),
    "evaluation.protocol": (str,),
    "model.deep": (bool,),
    "model.n_filters": (list, tuple),
    "model.double_pretext": (str,),
    "losses.temperature": (float,),
    "losses.normalise": (str,),
    "train.init_net": (str,),
    "train.transfer": (str,),
}

# Smallest sensible values: below, there is nothing to learn from or nothing to divide by.
LEAST = {
    "data.length": 2,
    "data.view": 0,
    "data.label_rate": 0.0,
    "sampler.p": 2,
    "sampler.k": 1,
    "sampler.frames": 1,
    "sampler.skip": 0,
    "sampler.frames_min": 1,
    "augmentation.rotate_degree": 0.0,
    "augmentation.views": 1,
    "losses.margin": 0.0,
    "losses.smoothing": 0.0,
    "losses.temperature": 1e-6,
    "losses.l2": 0.0,
    "losses.triplet_every": 1,
    "target.momentum": 0.0,
    "optimizer.clip": 1e-6,
    "optimizer.learning_rate": 0.0,
    "optimizer.weight_decay": 0.0,
    "averaging.start": 0.0,
    "averaging.rate": 0.0,
    "averaging.anneal_epochs": 0,
    "schedule.warmup_epochs": 0,
    "train.iterations": 1,
    "train.steps_per_epoch": 1,
    "train.epochs": 1,
    "train.extra_epochs": 0,
    "train.save_epoch": 1,
    "train.validation_subjects": 0,
    "train.validate_every": 1,
    "train.multi_gpu": 0,
    "train.held_out": 0.0,
    "train.stage": 0,
    "train.seed": 0,
    "recognition.epochs": 0,
    "recognition.batch_size": 1,
    "recognition.learning_rate": 0.0,
    "evaluation.knn": 1,
    "evaluation.min_frames": 1,
}

# Largest possible values.
MOST = {
    "data.label_rate": 1.0,
    "target.momentum": 1.0,
    "train.seed": 2**32 - 1,
    "train.held_out": 0.9,
    "train.stage": 2,
}

# Words that a key may hold, where nothing that the training builds would refuse another.
WORDS = {
    "evaluation.metric": METRICS,
    "data.keypoints": ("openpose", "alphapose", "hrnet"),
    "data.label_by": ("subjects", "sequences"),
    "augmentation.noise": ("uniform", "normal"),
    "augmentation.draw": ("clip", "frame"),
    "losses.cosine": ("strips", "features"),
    "losses.triplets": ("full", "hard"),
    "target.frames": ("same", "next"),
    "target.schedule": ("constant", "cosine"),
    "losses.pairs": ("published", "recordings"),
    "losses.decay": ("published", "kernels"),
    "train.selection": ("held-out", "published", "last"),
    "sampler.order": ("ordered", "unordered"),
    "sampler.lengths": ("fixed", "unfixed"),
    "augmentation.rotate_centre": ("published", "middle"),
}
