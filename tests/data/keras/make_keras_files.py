"""Makes the Keras files of the tests, and what Keras computes with them: python make_keras_files.py, with Keras 3.

sequential.keras and sequential.h5 are one model in two formats: a Bidirectional LSTM, a Dropout, and an LSTM without a
bias. functional.keras has an Embedding before a chain of two LSTM layers, a Dense layer after it, and one more LSTM on
another branch. Weights are random and asymmetric. outputs.json holds vectors of sentences, what the LSTM layers put out
for each sentence alone, and the version of Keras.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

HERE = Path(__file__).parent
LENGTHS = (5, 1, 3)
layers = keras.layers


def randomized(model: keras.Model, seed: int) -> keras.Model:
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(scale=0.8, size=weight.shape) for weight in model.get_weights()])
    return model


def outputs(model: keras.Model, sentences: list[np.ndarray]) -> list[list[list[float]]]:
    return [np.asarray(model(x[None], training=False).detach())[0].tolist() for x in sentences]


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            layers.Input((None, 2)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.Dropout(0.5),
            layers.LSTM(4, return_sequences=True, use_bias=False),
        ]
    )


def functional() -> tuple[keras.Model, keras.Model]:
    """The model that is stored, and one from the vectors to the states of its chain."""
    ids = layers.Input((None,), dtype="int32", name="ids")
    vectors = layers.Embedding(7, 2, mask_zero=True, name="vectors")(ids)
    lower = layers.Bidirectional(layers.LSTM(2, return_sequences=True, dropout=0.1), name="lower")
    upper = layers.LSTM(3, return_sequences=True, name="upper")
    other = layers.LSTM(2, name="other")
    states = upper(layers.SpatialDropout1D(0.2)(lower(vectors)))
    model = keras.Model(ids, [layers.Dense(2, name="scores")(states), other(vectors)])
    x = layers.Input((None, 2))
    return model, keras.Model(x, upper(lower(x)))


def main() -> None:
    random = np.random.default_rng(11)
    sentences = [random.normal(size=(length, 2)).astype("float32") for length in LENGTHS]
    found = {"keras": keras.__version__, "inputs": [x.tolist() for x in sentences]}
    model = randomized(sequential(), 1)
    model.save(HERE / "sequential.keras")
    model.save(HERE / "sequential.h5")
    found["sequential"] = outputs(model, sentences)
    whole, chain = functional()
    randomized(whole, 2)
    whole.save(HERE / "functional.keras")
    found["functional"] = outputs(chain, sentences)
    (HERE / "outputs.json").write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
