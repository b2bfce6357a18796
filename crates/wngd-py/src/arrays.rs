//! Numbers that Python gives and takes: any array-like in, float64 and C order out, at most one copy.

use numpy::ndarray::{ArrayD, IxDyn};
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// An array argument, borrowed where it is float64 in C order.
pub(crate) struct Numbers<'py> {
    name: &'static str,
    array: PyReadonlyArrayDyn<'py, f64>,
}

impl<'py> Numbers<'py> {
    /// The numbers of `value`, which is the argument `name`.
    ///
    /// # Errors
    /// A `TypeError` for what holds no real numbers, a `ValueError` for rows of different lengths; both name the argument.
    pub(crate) fn of(name: &'static str, value: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = value.cast::<PyArrayDyn<f64>>()
            && array.is_c_contiguous()
            && array.data().is_aligned()
        {
            let array = array.try_readonly().map_err(|error| PyValueError::new_err(format!("{name}: {error}")))?;
            return Ok(Self { name, array });
        }
        let py = value.py();
        let numpy = py.import("numpy")?;
        let found = numpy.call_method1("asarray", (value,)).map_err(|error| about(py, name, &error))?;
        let kind = found.getattr("dtype")?.getattr("kind")?.extract::<String>()?;
        if !"biufO".contains(&kind) {
            let dtype = found.getattr("dtype")?.str()?;
            return Err(PyTypeError::new_err(format!("{name}: real numbers are needed, not {dtype}")));
        }
        let wanted = (found, "float64", ["C_CONTIGUOUS", "ALIGNED"]);
        let found = numpy.call_method1("require", wanted).map_err(|error| about(py, name, &error))?;
        Ok(Self { name, array: found.extract()? })
    }

    /// The numbers of an argument that may be left out.
    pub(crate) fn maybe(name: &'static str, value: Option<&Bound<'py, PyAny>>) -> PyResult<Option<Self>> {
        value.map(|value| Self::of(name, value)).transpose()
    }

    /// Sizes of the axes.
    pub(crate) fn shape(&self) -> &[usize] {
        self.array.shape()
    }

    /// The same with `axes` axes.
    ///
    /// # Errors
    /// Another number of axes.
    pub(crate) fn axes(self, axes: usize, meaning: &str) -> PyResult<Self> {
        match self.shape().len() == axes {
            true => Ok(self),
            false => {
                Err(PyValueError::new_err(format!("{}: shape {:?}; {meaning} is needed", self.name, self.shape())))
            }
        }
    }

    /// The same with finite numbers.
    ///
    /// # Errors
    /// The first that is not.
    pub(crate) fn finite(self) -> PyResult<Self> {
        let values = self.values()?;
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(self),
            Some(at) => {
                let (value, place) = (values[at], place(self.shape(), at));
                Err(PyValueError::new_err(format!("{}{place} is {value}: every entry must be finite", self.name)))
            }
        }
    }

    /// The numbers, row-major.
    pub(crate) fn values(&self) -> PyResult<&[f64]> {
        self.array.as_slice().map_err(|_| PyValueError::new_err(format!("{}: the array is not contiguous", self.name)))
    }
}

/// `[3, 1]` of a place in a flat array.
fn place(shape: &[usize], at: usize) -> String {
    let mut rest = at;
    let mut indices: Vec<String> = Vec::new();
    for n in shape.iter().rev() {
        indices.push((rest % n).to_string());
        rest /= n;
    }
    indices.reverse();
    format!("[{}]", indices.join(", "))
}

/// NumPy's error, with the argument that it is about.
fn about(py: Python<'_>, name: &str, error: &PyErr) -> PyErr {
    let text = format!("{name}: {}", error.value(py));
    if error.is_instance_of::<PyTypeError>(py) { PyTypeError::new_err(text) } else { PyValueError::new_err(text) }
}

/// An array of a shape from row-major numbers, without a copy.
///
/// # Errors
/// Another number of numbers.
pub(crate) fn array<'py>(py: Python<'py>, shape: &[usize], values: Vec<f64>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), values)
        .map_err(|error| PyValueError::new_err(format!("shape {shape:?}: {error}")))?;
    Ok(array.into_pyarray(py))
}

/// Numbers of which some are missing: those are NaN, as NumPy and pandas have them.
pub(crate) fn or_nan(values: impl IntoIterator<Item = Option<f64>>) -> Vec<f64> {
    values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect()
}
