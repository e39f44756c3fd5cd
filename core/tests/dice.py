"""An environment that plays with NumPy's generator of random numbers."""

import numpy.random
from faulty import Faulty, Sight


class Dice(Faulty):
    """Shows what the process's own generator says next."""

    def _sight(self, text: str = "") -> Sight:
        return Sight(text=str(numpy.random.random()))
