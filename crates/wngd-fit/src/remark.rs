use std::fmt;

/// Something that whoever reads a fit should know.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Remark {
    /// A coordinate is rounded.
    Rounded {
        /// The coordinate.
        axis: usize,
        /// The step.
        step: f64,
    },
    /// Rounding is coarse against a component, so that the variance along the axis holds a share of rounding.
    Coarse {
        /// The coordinate.
        axis: usize,
        /// The component.
        component: usize,
        /// The step over the component's standard deviation.
        ratio: f64,
        /// The variance by the likelihood of rounded values, where it was computed.
        variance: Option<f64>,
    },
    /// A component's covariance is held at its least value.
    Narrow {
        /// The component.
        component: usize,
        /// Observations that belong to it.
        observations: f64,
        /// Whether the least value is that of rounding, h²/12 per axis; else it is 1e-10 of the squared scatter.
        rounding: bool,
    },
    /// Fewer components than asked for are left.
    Dropped {
        /// Asked for.
        asked: usize,
        /// Left.
        left: usize,
    },
    /// The information matrix has a negative eigenvalue: the end is a saddle.
    NoMaximum,
    /// The end is not stationary, so that there are no standard errors.
    NotStationary,
    /// Parameters that the data do not determine.
    Undetermined {
        /// Their names.
        names: Vec<String>,
    },
    /// Errors with and without the assumption that the mixture made the data differ.
    ErrorsWithoutModel {
        /// The parameter where they differ most.
        name: String,
        /// Error without the assumption, which is given, over that with it.
        ratio: f64,
    },
    /// A share that is within two standard errors of nothing.
    SmallWeight {
        /// The component.
        component: usize,
    },
    /// Weights of samples are whole numbers and taken as counts.
    WeightsAreCounts,
    /// Weights of samples are taken as importance.
    WeightsAreImportance {
        /// What the samples are worth.
        effective: f64,
    },
    /// Most components tried have the lowest BIC.
    MoreComponents {
        /// How many.
        components: usize,
    },
    /// Numbers of components that were left out.
    LeftOut {
        /// From this number on.
        components: usize,
        /// Why.
        reason: &'static str,
    },
    /// The bins cut the distribution.
    Cut {
        /// Entries that the fit expects outside of the bins.
        outside: f64,
    },
    /// There are too many parameters for second derivatives.
    ManyParameters {
        /// How many.
        parameters: usize,
    },
}

impl Remark {
    /// The remark in words, columns called by their names; by their numbers, from 0, where there are no names.
    pub fn told(&self, columns: &[String]) -> String {
        let text = self.to_string();
        match self {
            Self::Rounded { axis, .. } | Self::Coarse { axis, .. } => match columns.get(*axis) {
                Some(name) => text.replacen(&format!("column {axis} "), &format!("{name} "), 1),
                None => text,
            },
            _ => text,
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rounded { axis, step } => {
                let (step, least) = (short(*step), short(step * step / 12.0));
                write!(
                    f,
                    "column {axis} is rounded to multiples of {step}: no component's variance along it goes below that of rounding, {least}"
                )
            }
            Self::Coarse { axis, component, ratio, variance } => {
                write!(
                    f,
                    "column {axis} is rounded to {ratio:.2} of the deviation of component {component}, whose variance along it includes that of rounding"
                )?;
                match variance {
                    Some(v) => write!(
                        f,
                        "; by the likelihood of rounded values (integrals over the cells) it is {}",
                        short(*v)
                    ),
                    None => Ok(()),
                }
            }
            Self::Narrow { component, observations, rounding } => {
                let what = if *rounding {
                    "is narrower than the rounding of the data; its covariance is held at that of rounding"
                } else {
                    "has collapsed onto repeated values or a plane; its covariance is held at 1e-10 of the data's"
                };
                write!(f, "component {component} ({observations:.1} samples) {what}, and has no standard errors")
            }
            Self::Dropped { asked, left } => {
                write!(f, "{left} of {asked} components are left: the weights of the others went to 0 from every start")
            }
            Self::NoMaximum => {
                f.write_str("no standard errors: the likelihood is flat or rises in some direction at the end")
            }
            Self::NotStationary => f.write_str("no standard errors: the end is not stationary; give more iterations"),
            Self::Undetermined { names } => {
                let few = names.iter().take(6).map(String::as_str).collect::<Vec<_>>().join(", ");
                let more = if names.len() > 6 { format!(" and {} more", names.len() - 6) } else { String::new() };
                write!(
                    f,
                    "the data do not determine {few}{more}: the standard error would exceed the component's own size"
                )
            }
            Self::ErrorsWithoutModel { name, ratio } => write!(
                f,
                "standard errors do not assume that a mixture made the data; with that assumption they differ, most for {name} (given: {ratio:.2} times as large)"
            ),
            Self::SmallWeight { component } => {
                write!(f, "the weight of component {component} is within two standard errors of 0")
            }
            Self::WeightsAreCounts => f.write_str("weights are whole numbers and taken as counts of equal samples"),
            Self::WeightsAreImportance { effective } => {
                write!(f, "weights are taken as importance: the samples are worth {effective:.1} plain ones")
            }
            Self::MoreComponents { components } => {
                write!(f, "the lowest BIC is that of the most components tried, {components}; more may be better still")
            }
            Self::LeftOut { components, reason } => {
                write!(f, "{components} and more components were left out: {reason}")
            }
            Self::Cut { outside } => write!(
                f,
                "the fit expects {outside:.1} entries outside of the bins: they cut the distribution, and the likelihood is that of entries inside them"
            ),
            Self::ManyParameters { parameters } => write!(
                f,
                "{parameters} parameters are too many for second derivatives: the end is EM's, without standard errors; take a simpler family of covariances"
            ),
        }
    }
}

/// A number with few digits.
fn short(v: f64) -> String {
    let text = format!("{v:.3e}");
    let value: f64 = text.parse().unwrap_or(v);
    if (1e-3..1e5).contains(&value.abs()) { format!("{value}") } else { text }
}
