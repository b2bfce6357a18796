use wngd_adjoint::ModelError;

/// All parameters of a field, and which of them are free.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    /// Values of all parameters; those of free ones are placeholders.
    pub(crate) full: Vec<f64>,
    /// Index in `full` of each free parameter.
    pub(crate) free: Vec<usize>,
    /// Place among the free parameters, for each of all.
    pub(crate) place: Vec<Option<usize>>,
}

impl Parameters {
    pub(crate) fn new(full: Vec<f64>, free: Option<Vec<usize>>) -> Result<Self, ModelError> {
        if let Some(i) = full.iter().position(|v| !v.is_finite()) {
            return Err(ModelError::invalid(
                format!("theta[{i}]"),
                format!("{} given; parameters are finite", full[i]),
            ));
        }
        let free = free.unwrap_or_else(|| (0..full.len()).collect());
        let mut place = vec![None; full.len()];
        for (j, &index) in free.iter().enumerate() {
            match place.get_mut(index) {
                Some(slot @ None) => *slot = Some(j),
                _ => {
                    let problem = format!(
                        "{index} given; free parameters are distinct indices of the {} parameters, from 0",
                        full.len()
                    );
                    return Err(ModelError::invalid(format!("free[{j}]"), problem));
                }
            }
        }
        Ok(Self { full, free, place })
    }

    /// θ with the free parameters put in.
    pub(crate) fn expand(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        ModelError::check_theta(theta, self.free.len())?;
        let mut full = self.full.clone();
        for (&index, &value) in self.free.iter().zip(theta) {
            full[index] = value;
        }
        Ok(full)
    }
}
