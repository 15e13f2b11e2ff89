"""The LSTM of int8 models in C: see `library` and `integer_lstm`."""
