"""What is said of the stack to whoever runs CID."""

NOTES: list[str] = []  # which parts are stood in for, and why; a run writes them to its log file


def say(text: str) -> None:
    """One line in mmengine's current log, so that it also lands in the log file of a run that is going on.

    Args:
        text: of the line.
    """
    from mmengine.logging import print_log

    print_log(f'cid_mmpose: {text}', logger='current')
