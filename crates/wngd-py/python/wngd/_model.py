"""``Model``: a map from parameters to a state, with its derivatives."""

import numpy as np


class Model:
    """A model θ → state with its derivatives.

    Parameters
    ----------
    state : callable, x of shape (p,) -> array of any shape
        The state; `OutOfDomain` raised, or values that are not finite, tell a line search to shorten its step.
    jvp : callable, (x, tangent of shape (p,)) -> array in the shape of the state, optional
        The derivative of the state along a tangent.
    vjp : callable, (x, cotangent in the shape of the state) -> array of shape (p,), optional
        The transposed derivative. Without it the Jacobian is stored, column by column.
    jacobian : callable, x -> array in the shape of the state with one more axis of length p, optional
        The whole derivative, in place of `jvp` and `vjp`.
    batched : bool, default=False
        Whether `jvp` and `vjp` take blocks: tangents of shape (r, p) to r states, r cotangents to shape (r, p).

    Examples
    --------
    >>> import numpy as np, wngd
    >>> t = np.linspace(0.0, 2.0, 9)
    >>> decay = wngd.Model(
    ...     lambda x: x[0] * np.exp(-x[1] * t),
    ...     lambda x, v: np.exp(-x[1] * t) * (v[0] - x[0] * t * v[1]),
    ...     lambda x, u: np.array([u @ np.exp(-x[1] * t), -u @ (x[0] * t * np.exp(-x[1] * t))]),
    ... )
    >>> wngd.check(decay, [1.0, 0.7]).ok
    True
    """

    def __init__(self, state, jvp=None, vjp=None, *, jacobian=None, batched=False):
        for name, part in (("state", state), ("jvp", jvp), ("vjp", vjp), ("jacobian", jacobian)):
            if part is not None and not callable(part):
                raise TypeError(f"{name}: {type(part).__name__} is not callable")
        if state is None:
            raise TypeError("state: a model needs one")
        if jvp is None and jacobian is None:
            raise TypeError("jvp: a model needs it, or jacobian")
        self.state = state
        self.jvp = jvp
        self.vjp = vjp
        self.jacobian = jacobian
        self.batched = bool(batched)

    @classmethod
    def from_jax(cls, function):
        """The model of a function that JAX can trace, in double precision; blocks of products are mapped at once.

        Parameters
        ----------
        function : callable, x of shape (p,) -> array of any shape

        Examples
        --------
        >>> import jax.numpy as jnp, wngd
        >>> model = wngd.Model.from_jax(lambda x: x[0] * jnp.exp(-x[1] * jnp.arange(5.0)))
        >>> wngd.check(model, [1.0, 0.3]).ok
        True
        """
        try:
            import jax
        except ImportError:
            raise TypeError("model: a function needs JAX for its derivatives; give (state, jvp, vjp)") from None
        state = jax.jit(function)
        tangents = jax.jit(lambda x, v: jax.vmap(lambda t: jax.jvp(function, (x,), (t,))[1])(v))
        cotangents = jax.jit(lambda x, u: jax.vmap(lambda c: jax.vjp(function, x)[1](c)[0])(u))

        return cls(in_double(state), in_double(tangents), in_double(cotangents), batched=True)


def in_double(traced):
    """A traced function as one of NumPy arrays, in double precision."""
    import jax

    double = getattr(jax, "enable_x64", None)
    if double is None:
        from jax.experimental import enable_x64 as double

    def call(*arrays):
        with double(True):
            return np.asarray(traced(*arrays))

    return call


def model_of(model):
    """A model in any of the forms that it has: an object with parts, a tuple of callables, a function for JAX."""
    if isinstance(model, Model):
        return model
    if isinstance(model, (tuple, list)):
        if not 2 <= len(model) <= 3:
            raise TypeError(f"model: {len(model)} parts; state, jvp and vjp are needed")
        return Model(*model)
    if hasattr(model, "state") and (hasattr(model, "jvp") or hasattr(model, "jacobian")):
        part = lambda name: getattr(model, name, None)
        return Model(
            model.state, part("jvp"), part("vjp"), jacobian=part("jacobian"), batched=getattr(model, "batched", False)
        )
    if callable(model):
        return Model.from_jax(model)
    raise TypeError(f"model: {type(model).__name__} is no model; give (state, jvp, vjp) or wngd.Model(...)")
