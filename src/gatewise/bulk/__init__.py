"""Tagging past one machine, on a Ray cluster: a data set of Ray Data, or files in and files out."""

from gatewise.bulk.dataset import tag_dataset
from gatewise.bulk.job import Job, run

__all__ = ["Job", "run", "tag_dataset"]
