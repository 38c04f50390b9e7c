"""CUFED5 as a TensorFlow data set: `import tfds_cufed5` makes it known to `tfds.load`."""

from tfds_cufed5.tfds_cufed5_dataset_builder import Builder as Builder
