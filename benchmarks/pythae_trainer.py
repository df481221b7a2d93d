"""`benchmarks.fit` with pythae's trainer as well. Runs in pythae's environment, prints JSON."""

import json
import logging
import tempfile

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import AE, AEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig

from benchmarks.fit import BATCH_SIZE, EPOCHS, TRAINERS, measure


class Encoder(BaseEncoder):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, x):
        return ModelOutput(embedding=self.layers(x))


class Decoder(BaseDecoder):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, z):
        return ModelOutput(reconstruction=self.layers(z))


def train(model, x, learning_rate):
    """Train the layers of `model` in place."""
    theirs = AE(
        AEConfig(input_dim=(784,), latent_dim=30), Encoder(model.encoder), Decoder(model.decoder)
    )
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=EPOCHS,
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=learning_rate,
            no_cuda=True,
        )
        BaseTrainer(theirs, BaseDataset(x, torch.zeros(len(x))), training_config=config).train()


if __name__ == "__main__":
    logging.disable()
    theirs = {
        "pythae, its defaults (Adam, 1e-4)": lambda model, x: train(model, x, 1e-4),
        "pythae, Adam with learning rate 1e-3": lambda model, x: train(model, x, 1e-3),
    }
    print(json.dumps(measure(TRAINERS | theirs)))
