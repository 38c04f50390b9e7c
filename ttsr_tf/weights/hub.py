"""Weights that others publish on Hugging Face: hf://OWNER/NAME."""

from ttsr_tf.errors import InputError

PREFIX = "hf://"


def fetch(address: str, file_name: str) -> str:
    """The path of a repository's file in the hub's cache, where it is kept for the next time.

    Args:
        address: hf://OWNER/NAME.
        file_name: within the repository.

    Raises:
        InputError: the extra `hub` isn't installed, the hub can't be reached, or has no such
            repository or file.
    """
    try:
        import huggingface_hub
        from huggingface_hub import errors
        from huggingface_hub.utils import logging
    except ImportError:
        raise InputError(f"{address} needs huggingface_hub: pip install 'ttsr-tf[hub]'.") from None
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)  # it tells of every try, twice
    try:
        return huggingface_hub.hf_hub_download(address.removeprefix(PREFIX), file_name)
    except errors.RepositoryNotFoundError:
        reason = "there is no such repository, or it is not public"
    except errors.LocalEntryNotFoundError:
        reason = "the hub can't be reached"
    except errors.EntryNotFoundError:
        reason = f"the repository has no {file_name}"
    except errors.HFValidationError:
        reason = f"give {PREFIX}OWNER/NAME"
    except OSError as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
    finally:
        logging.set_verbosity(verbosity)
    raise InputError(f"Can't fetch {file_name} of {address}: {reason}.")
