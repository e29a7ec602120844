"""How much work an exact p takes."""


class NotExactError(Exception):
    """An exact p would take more work than it may, or numbers that are too large."""


class Work:
    """The work so far, and its limit.

    It is estimated from the operations to come, and not measured, so that what is beyond the limit
    does not depend on the machine.

    Parameters
    ----------
    limit : float
        In nanoseconds of a usual core.

    Attributes
    ----------
    done : float
        The sum of what was added.
    """

    def __init__(self, limit: float) -> None:
        self.limit, self.done = limit, 0.0

    def add(self, more: float) -> None:
        """Add work that is about to be done.

        Raises
        ------
        NotExactError
            If that is beyond the limit.

        Examples
        --------
        >>> work = Work(10)
        >>> work.add(7)
        >>> work.done
        7.0
        """
        self.done += more
        if self.done > self.limit:
            raise NotExactError
