"""Bars of progress, by tqdm."""


def bar(total, label):
    """A bar for `total` iterations."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress needs tqdm: pip install tqdm; or leave progress out") from None
    return tqdm(total=total, desc=label, unit="it", leave=False)


class Bars:
    """A bar per method of a run, one after the other."""

    def __init__(self):
        bar(0, "").close()
        self._bar = None

    def __call__(self, label, limit, objective):
        """The method of a label has made an iterate; `limit` at its beginning, none later."""
        if limit is not None:
            self.close()
            self._bar = bar(limit, label)
        elif self._bar is not None:
            self._bar.set_postfix_str(f"objective {objective:.3g}", refresh=False)
            self._bar.update()

    def close(self):
        """Ends the bar on show."""
        if self._bar is not None:
            self._bar.close()
