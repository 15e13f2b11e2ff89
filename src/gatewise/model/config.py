"""The configuration of a tagger: what it reads, what it is made of, how it is trained.

Out: a frozen `Config`, a dataclass for each table of the TOML file, with the defaults; `config_reading` makes and
checks it. The resolved configuration is stored in the model. Needs no torch, so the runtime can read it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

TASKS = ("auto", "spans", "tags", "segmentation")
TASK_TOKENIZERS = ("auto", "characters", "mixed", "words", "english", "whitespace")
TASK_SCHEMES = ("auto", "BIO", "BIOES", "plain")
CHARACTER_NETWORKS = ("none", "lstm", "cnn")
LANGUAGE_MODEL_SPACES = ("auto", "none", "between", "outside")
ENCODERS = ("lstm", "rnn")
OUTPUTS = ("crf", "softmax")
TAG_COLUMNS = ("upos", "xpos")
DECAYS = ("linear", "cosine", "constant")
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("float32", "bfloat16")
NUMBER_TYPES = ("auto", "float32", "float16", "int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskConfig:
    """What is tagged. `auto` is decided by the training file, and the decision is what the model stores.

    `kind`: `spans` (names, chunks), `tags` (one plain tag a token) or `segmentation` (words and their parts of speech
    from characters; the training file is CoNLL-U). `tokenizer` is what raw text meets when the model is used.
    `spaces`, for segmentation: `between` words only, which makes white space end a word, or `within` words too.
    """

    kind: str = "auto"
    tokenizer: str = "auto"
    scheme: str = "auto"
    column: str = "upos"
    spaces: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesConfig:
    """What a token is turned into. A dimension of 0 leaves the feature out; bigrams need the tokenizer `characters`.

    `simplified`: every feature reads traditional Chinese characters as simplified ones, in training too.
    `min_count` and `bigram_min_count`: what occurs less often in training shares the entry for the unknown.
    `characters`: a network inside words, `lstm` (of `character_hidden` units in each direction) or `cnn` (of
    `character_filters`, 3 characters wide). `shape_dim`: the word's shape, such as Xxxx; `affix_length`: its prefixes
    and suffixes of 1 to so many characters, `affix_dim` numbers each. `form_min_count` is for all of these.
    `vectors`: a file of pretrained vectors for tokens (word2vec text or binary, GloVe, fastText .vec, also gzipped), of
    `token_dim` numbers each; `bigram_vectors`: one for bigrams, of `bigram_dim` numbers. With `vectors_trained` both
    are tuned, else those that are found stay as they are. The first `vectors_added` entries of each file join the
    vocabulary although training does not have them.
    `lexicon`: a list of words, whose sets around each character join x (docs/lexicon.md); words of at most
    `lexicon_longest` characters, of which at most `lexicon_size` have vectors of their own, `lexicon_dim` numbers each:
    those seen `lexicon_min_count` times, and those in the file `lexicon_vectors`.
    `language_model`: a folder of `gatewise pretrain`, whose states are read beside all else; they stay as they are, or
    a trained layer makes `language_model_dim` numbers of each direction's. `language_model_hidden` and
    `language_model_embedding` are its sizes, read from the folder. `language_model_spaces`: what it reads between
    tokens, one space (`between`), `none`, or a space `outside` East Asian text.
    """

    token_dim: int = 64
    bigram_dim: int = 64
    simplified: bool = False
    min_count: int = 1
    bigram_min_count: int = 2
    characters: str = "none"
    character_dim: int = 30
    character_hidden: int = 25
    character_filters: int = 30
    shape_dim: int = 0
    affix_length: int = 0
    affix_dim: int = 16
    form_min_count: int = 2
    vectors: str = ""
    bigram_vectors: str = ""
    vectors_trained: bool = True
    vectors_added: int = 0
    lexicon: str = ""
    lexicon_dim: int = 50
    lexicon_longest: int = 6
    lexicon_size: int = 20_000
    lexicon_min_count: int = 2
    lexicon_vectors: str = ""
    language_model: str = ""
    language_model_dim: int = 0
    language_model_hidden: int = 0
    language_model_embedding: int = 0
    language_model_spaces: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """The recurrent layers: `kind` lstm or rnn, `hidden` units in each direction.

    `residual`: the states of every layer from the second on are added to what it read.
    """

    kind: str = "lstm"
    hidden: int = 200
    layers: int = 1
    bidirectional: bool = True
    residual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputConfig:
    """How tags are scored: `crf` learns transitions, `softmax` does not; both only ever say legal sequences."""

    kind: str = "crf"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadConfig:
    """A further head: what else is tagged, on the states of the same encoder (docs/heads.md).

    `kind`, `scheme`, `column`, `spaces` are as in `[task]`, `output` as in `[output]` (auto: the same), `label_weights`
    as in `[training]`. `train`, `dev`, `test` are labeled files of this head alone, `columns` how they are laid out;
    where `train` is empty the head reads the run's own files, another column of them. `columns` empty: as the run's for
    those, else `token,tag`. `weight`: how much its loss counts beside that of the main head.
    """

    kind: str = "auto"
    scheme: str = "auto"
    output: str = "auto"
    column: str = "upos"
    columns: str = ""
    spaces: str = "auto"
    train: str = ""
    dev: str = ""
    test: str = ""
    weight: float = 1.0
    label_weights: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillationConfig:
    """Which trained models teach the main head beside the gold tags (docs/distillation.md); without teachers none do.

    `teachers`: model folders, or names of bundled models. `weight` w: on labeled sentences the loss is 1 - w times that
    of the gold tags and w times the cross-entropy to the mean of the teachers' distributions over paths. `raw`: a file
    whose sentences the teachers alone label, at most `raw_sentences` of them, drawn with the run's seed; `raw_weight`
    is how much the loss of such a sentence counts beside that of a labeled one.
    """

    teachers: tuple[str, ...] = ()
    weight: float = 0.5
    raw: str = ""
    raw_sentences: int = 20_000
    raw_weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How the weights are found.

    `dropout` acts on the input, between layers and on the states, with `variational_dropout` on the same units over a
    whole sentence; `word_dropout` takes whole tokens away. `adversarial`: how far a sentence's vectors are moved where
    that hurts most, to be read a second time. `warmup_steps` the learning rate rises, then it falls as `decay` says
    (`linear` or `cosine`, to 0, or `constant`). `unknown_weight` a: in training an entry seen n times is replaced by
    the unknown with probability a/(a+n), so that the unknown is learned too. `averaging`: decay of the moving average
    of the weights, which is what dev scores and the saved model use; 0 turns it off. `patience`: epochs without a
    better dev score after which training stops. `batch_tokens` caps a batch, padding included; a sentence longer than
    `longest_sentence` is refused. `label_weights`: how much more than others it counts to miss a label (a softmax
    margin, Gimpel and Smith 2010). `device` auto, cpu or cuda; `precision` float32, or bfloat16 on cuda.
    `checkpoint_seconds`: how often all of the training's state is saved. `tensorboard`: write events for TensorBoard
    into the run folder.
    """

    seed: int = 1
    epochs: int = 20
    batch_size: int = 16
    batch_tokens: int = 4096
    longest_sentence: int = 20_000
    learning_rate: float = 0.003
    warmup_steps: int = 0
    decay: str = "linear"
    gradient_clip: float = 5.0
    dropout: float = 0.5
    variational_dropout: bool = False
    word_dropout: float = 0.0
    adversarial: float = 0.0
    unknown_weight: float = 1.0
    averaging: float = 0.998
    patience: int = 5
    threads: int = 0
    device: str = "auto"
    precision: str = "float32"
    checkpoint_seconds: int = 30
    tensorboard: bool = False
    label_weights: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveConfig:
    """How the model is stored: `float16` halves it; `int8` makes it a quarter, and its LSTM runs on whole numbers.

    `auto` is int8 where that costs no more than 0.1 of a hundred on the dev file, else float32. The weights are rounded
    before the final scores are taken."""

    numbers: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardConfig:
    """What only a person knows of a model; it is printed on the model card as it stands here."""

    description: str = ""
    data: str = ""
    license: str = ""
    attribution: str = ""
    limits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration, one section a dataclass; the same names are the tables of the TOML file.

    `heads` holds a section for each further head, by its name: `[heads.ner]`.
    """

    name: str = "tagger"
    task: TaskConfig = field(default_factory=TaskConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    heads: dict[str, HeadConfig] = field(default_factory=dict)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    archive: ArchiveConfig = field(default_factory=ArchiveConfig)
    card: CardConfig = field(default_factory=CardConfig)

    def to_dict(self) -> dict[str, Any]:
        """Nested dictionaries, ready for JSON; `config_from_dict` takes them back. Without heads none are named, and
        without distillation nothing is said of it."""
        table = asdict(self)
        if not self.heads:
            del table["heads"]
        if self.distillation == DistillationConfig():
            del table["distillation"]
        return table
