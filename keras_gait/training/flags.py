"""The flags of the published ``train.py`` of AttenGait and of SGE, and the recipe keys that they set."""


def _reduction(word):
    """The published code pools by the mean for every word but ``both``, ``max`` included."""
    return "both" if word == "both" else "mean"


FLAGS = [  # flag, recipe key, type, meaning
    ("--datadir", "data.datadir", str, "data set directory, or a folder that holds it"),
    ("--nclasses", "data.nclasses", int, "which published data set: 74, 50, 5153, 5154, 20000, 6000"),
    ("--experdir", "train.experdir", str, "folder for the runs"),
    ("--prefix", "train.prefix", str, "what the run folder's name begins with"),
    (
        "--lr",
        "optimizer.learning_rate",
        float,
        "learning rate; AttenGait: times the number of GPUs",
    ),
    ("--optimizer", "optimizer.name", str, "SGD or Adam; AttenGait also AMSGrad, AdamW, AdaBelief, LAMB"),
    ("--wd", "optimizer.weight_decay", float, "L2 factor (weight decay for AdamW and LAMB)"),
    ("--bs", "sampler.batch_size", int, "batch size without --pk"),
    ("--p", "sampler.p", int, "subjects a batch, for AttenGait on each GPU"),
    ("--k", "sampler.k", int, "sequences a subject"),
    ("--epochs", "train.epochs", int, "epochs with cross-entropy"),
    ("--extraepochs", "train.extra_epochs", int, "epochs without cross-entropy after them"),
    ("--save_epoch", "train.save_epoch", int, "keep weights every so many epochs"),
    ("--multi_gpu", "train.multi_gpu", int, "number of GPUs"),
    ("--init_net", "train.init_net", str, "model or weights file to start from"),
    ("--verbose", "train.verbose", int, "0 silent, 1 progress bar, 2 a line an epoch"),
    ("--margin", "losses.margin", float, "triplet margin"),
    ("--cross_weight", "losses.cross_weight", float, "weight of the cross-entropy"),
    ("--attention_drop_rate", "model.attention_drop_rate", float, "dropout on the attention weights"),
    ("--combined_output_length", "model.combined_output_length", int, "channels of a part descriptor"),
    (
        "--reduction",
        "model.reduction",
        _reduction,
        "pooling over frames: both, or anything else for the mean",
    ),
    ("--model_size", "model.model_size", str, "small, medium, large"),
]

SWITCHES = [  # flag, recipe key, value it sets, meaning
    ("--pk", "sampler.pk", True, "batches of p subjects with k sequences each"),
    ("--split_crossentropy", "model.split_crossentropy", True, "a classifier for each part"),
    ("--shared_weights_crossentropy", "model.shared_weights_crossentropy", True, "one for all parts"),
    ("--softmax_attention", "model.softmax_attention", True, "softmax over the attention weights"),
    ("--norm_triplet_loss", "losses.normalise", "descriptor", "descriptors of length 1 in the triplet loss"),
    ("--soft_triplet_loss", "losses.soft", True, "soft margin"),
    ("--adaptative_triplet_loss", "losses.adaptive", True, "margins that grow where no triplet is active"),
    ("--lr_sched", "schedule.name", "cosine", "warm-up and cosine decay"),
    ("--random_frames", "sampler.shuffled", True, "frames of a clip without order"),
    ("--diffFrames", "sampler.varying_length", True, "clips of 16 to 29 frames, drawn for each batch"),
    ("--repeat_data", "sampler.repeat", True, "loop sequences that are too short"),
    ("--cut", "data.cut", True, "use columns 10 to 53, stretched to the full width"),
    ("--substract_mean", "model.subtract_mean", True, "subtract the training set's mean frame"),
    ("--mixed_precision", "train.mixed_precision", True, "half precision where it is safe"),
]

# Accepted and without effect, as in the original: what they ask for is always on, or only named the folder.
ALWAYS_ON = ("--augmentation", "--kernel_regularizer", "--combine_outputs")
# Without effect in the original, where nothing told the user so.
REFUSED = ("--dropout", "--no_clip", "--self_attention", "--debug")


def _number_or_none(word):
    """A whole number; SGE's flags take the word None for one that is not given."""
    return None if word == "None" else int(word)


def _word_or_none(word):
    return None if word in ("None", "") else word


SGE_FLAGS = [  # flag, recipe key, type, meaning
    ("--dataset", "data.dataset", str, "SGE: BIWI, IAS, KGBD, KS20, KinectReID, CASIA_B, or one's own"),
    ("--length", "data.length", int, "SGE: frames of a sequence"),
    ("--view", "data.view", _number_or_none, "SGE: the view's own data set, KS20 0-4, CASIA_B 0-10"),
    ("--model", "model.pretext", str, "SGE: pretext task: rev_rec, prediction, sorting, rev_rec_plus"),
    ("--attention", "model.attention", str, "SGE: LA (aligned by locality) or BA"),
    ("--manner", "model.manner", str, "SGE: ap (average prediction) or sc (sequence concatenation)"),
    (
        "--double_pretext",
        "model.double_pretext",
        _word_or_none,
        "SGE: rev_rec+pred, rev_rec+sort, pred+sort of rev_rec_plus",
    ),
    ("--t", "losses.temperature", float, "SGE: temperature of the contrast"),
    ("--train_flag", "train.stage", int, "SGE: 1 encoders and recognition, 0 recognition only"),
    ("--transfer", "train.transfer", _word_or_none, "SGE: data set or run folder whose encoders are taken"),
]

SGE_CHOICES = [  # flag, dict of its words -> recipe keys and the values that each sets, meaning
    (
        "--frozen",
        {"0": {}, "1": {"model.contrast": "frozen", "model.features": "projection"}},
        "SGE: 1: the contrast trains a projection of its own, which is the feature",
    ),
    (
        "--c_reid",
        {"0": {}, "1": {"model.features": "projection"}},
        "SGE: 1: the contrast's projection is the feature",
    ),
    (
        "--norm",
        {"0": {"model.normalise": "range"}, "1": {"model.normalise": "joint"}},
        "SGE on CASIA_B: 1: coordinates from joint 0 on, 0: by the training set's range",
    ),
]

# Recipes in ``configs/sge`` that ``--dataset`` takes, by the data set's name without case and signs.
SGE_RECIPES = {
    "biwi": "biwi",
    "ias": "ias",
    "kgbd": "kgbd",
    "ks20": "ks20",
    "kinectreid": "kinectreid",
    "casiab": "casiab_cve",
    "casiabmatch": "casiab_cme",
}
