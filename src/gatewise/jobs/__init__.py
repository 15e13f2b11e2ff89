"""Tagging files of any size: patterns in, whole outputs out, gone on with after a kill, broken lines put aside."""

from gatewise.jobs.inputs import Input, find_inputs
from gatewise.jobs.options import JobOptions
from gatewise.jobs.run import JobProgress, JobReport, Listeners
from gatewise.jobs.tag_files import tag_files

__all__ = ["Input", "JobOptions", "JobProgress", "JobReport", "Listeners", "find_inputs", "tag_files"]
