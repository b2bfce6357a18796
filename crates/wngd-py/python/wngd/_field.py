"""``System``: a dynamical system whose velocity is a function of Python."""

import numbers

import numpy as np

from . import _wngd
from ._result import Result


class System:
    """dx/dt = velocity(x, theta), with the derivatives of that.

    Equations as text (a dictionary, see `identify`) are a hundred times faster than functions, and where they are
    polynomials noise can be undone exactly. Functions are for what no text can say.

    Parameters
    ----------
    velocity : callable, (x of shape (d,), theta of shape (p,)) -> array of shape (d,)
        `OutOfDomain` raised, or values that are not finite, say that there is no motion from there.
    variables : list of d str
        Names of the variables, in the order of x; columns of a data frame are matched to them.
    parameters : dict of p names with values to start from, in the order of theta
    jac_x : callable, (x, theta) -> array of shape (d, d), optional
        The derivative by x, row by row of the velocity.
    jac_theta : callable, (x, theta) -> array of shape (d, p), optional
        The derivative by theta.
    differences : bool, default=False
        Whether a derivative that is not given is taken by central differences; what `identify` finds says so.
    name : str, optional
        What reports call it; the function's name if left out.

    Examples
    --------
    >>> import numpy as np, wngd
    >>> oscillator = wngd.System(
    ...     lambda x, theta: np.array([x[1], theta[0] * (1 - x[0] ** 2) * x[1] - x[0]]),
    ...     variables=["x", "y"],
    ...     parameters={"mu": 1.0},
    ...     jac_x=lambda x, theta: np.array([[0, 1], [-2 * theta[0] * x[0] * x[1] - 1, theta[0] * (1 - x[0] ** 2)]]),
    ...     jac_theta=lambda x, theta: np.array([[0], [(1 - x[0] ** 2) * x[1]]]),
    ...     name="oscillator",
    ... )
    >>> oscillator.check([0.5, 1.5]).ok
    True
    >>> points = wngd.simulate(oscillator, 400, dt=0.1, theta=[1.3], burn_in=10.0)
    >>> found = wngd.identify(points, oscillator, dt=0.1, estimators=["shooting"])
    >>> found.names, bool(abs(found.x[0] - 1.3) < 1e-6)
    (['mu'], True)
    """

    def __init__(self, velocity, variables, parameters, jac_x=None, jac_theta=None, *, differences=False, name=None):
        for part, function in (("velocity", velocity), ("jac_x", jac_x), ("jac_theta", jac_theta)):
            if not (callable(function) or (function is None and part != "velocity")):
                raise TypeError(f"{part}: {type(function).__name__} is not callable")
        self.variables = _names("variables", variables)
        if not isinstance(parameters, dict):
            raise TypeError(f'parameters: names with values to start from are needed, {{"mu": 1.0}}, not {parameters!r}')
        self.parameters = list(zip(_names("parameters", parameters), map(_number, parameters, parameters.values())))
        self.name = str(name or getattr(velocity, "__name__", "system")).replace("<lambda>", "system")
        self.differences = [part for part, given in (("jac_x", jac_x), ("jac_theta", jac_theta)) if given is None]
        if self.differences and not differences:
            raise TypeError(
                f"{self.differences[0]}: a system needs it; give it, or let JAX make it (System.from_jax), or take "
                "differences=True"
            )
        self.velocity = velocity
        self.jac_x = jac_x or (lambda x, theta: _differences(lambda x: velocity(x, theta), x))
        self.jac_theta = jac_theta or (lambda x, theta: _differences(lambda theta: velocity(x, theta), theta))

    @classmethod
    def from_jax(cls, velocity, variables, parameters, *, name=None):
        """The system of a function that JAX can trace, in double precision.

        Parameters
        ----------
        velocity, variables, parameters, name : as above

        Examples
        --------
        >>> import jax.numpy as jnp, wngd
        >>> pendulum = wngd.System.from_jax(
        ...     lambda x, theta: jnp.array([x[1], -theta[0] * jnp.sin(x[0])]), ["angle", "rate"], {"g": 9.8}
        ... )
        >>> pendulum.check([1.0, 0.3]).ok
        True
        """
        try:
            import jax
        except ImportError:
            raise ImportError("from_jax needs JAX: pip install jax; or give jac_x and jac_theta yourself") from None
        from ._model import in_double

        parts = (velocity, jax.jacfwd(velocity, argnums=0), jax.jacfwd(velocity, argnums=1))
        velocity_, by_x, by_theta = (in_double(jax.jit(part)) for part in parts)
        name = name or getattr(velocity, "__name__", None)
        return cls(velocity_, variables, parameters, by_x, by_theta, name=name)

    def check(self, x, theta=None):
        """Taylor tests of both derivatives at a point where no coordinate is at rest.

        Parameters
        ----------
        x : array-like of shape (d,)
        theta : array-like of shape (p,), optional
            The parameters to start from if left out.

        Returns
        -------
        Result
            ``ok``, and ``rate_x`` and ``rate_theta``: 2 or more where the derivatives are exact, 1 where they are wrong.
        """
        ok, rate_x, rate_theta = _wngd.check_field(self, x, theta)
        return Result(ok=ok, rate_x=rate_x, rate_theta=rate_theta)

    def __repr__(self):
        parameters = ", ".join(f"{name}={value:g}" for name, value in self.parameters)
        return f"System({self.name}: {', '.join(self.variables)}; {parameters})"


def remarks_of(system):
    """What has to be said of a system in the result."""
    taken = getattr(system, "differences", [])
    return [f"{part} of {system.name} by central differences" for part in taken]


def _names(argument, names):
    names = [names] if isinstance(names, str) else list(names)
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise ValueError(f"{argument}: {names}; at least one name is needed, each once")
    return names


def _number(name, value):
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not np.isfinite(value):
        raise ValueError(f"parameters[{name!r}]: {value!r}; a finite number to start from is needed")
    return float(value)


def _differences(function, at):
    """The derivative by central differences, one column per entry of `at`; errors of some 1e-10 of its size."""
    columns = []
    for j, value in enumerate(at):
        above, below = at.copy(), at.copy()
        step = 6e-6 * max(1.0, abs(value))
        above[j], below[j] = value + step, value - step
        columns.append((np.asarray(function(above)) - np.asarray(function(below))) / (above[j] - below[j]))
    return np.stack(columns, axis=-1)
